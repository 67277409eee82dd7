#include <plateau/io/tokenizer/folder.hpp>

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/error.hpp>
#include <plateau/io/tokenizer.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace plateau::io;
using namespace plateau::testing;
using plateau::config_error;
using plateau::file_error;
using plateau::token_id;

namespace {

using ids = std::vector<token_id>;
using nlohmann::json;

json golden(std::string const& name) {
    return json::parse(bytes_of(std::filesystem::path(baked::tests) / "golden/tokenizer" / name));
}

/// vocab.json and merges.txt of a golden tokenizer.json, its added tokens among the others.
void write_vocab_and_merges(scratch_dir const& folder, std::string const& source, std::string const& end = "\n") {
    auto const content = golden(source);
    auto vocabulary = content.at("model").at("vocab");
    for (auto const& token : content.at("added_tokens")) vocabulary[token.at("content")] = token.at("id");
    folder.write("vocab.json", vocabulary.dump());
    std::string merges = "#version: 0.2" + end;
    for (auto const& merge : content.at("model").at("merges"))
        merges += (merge.is_string() ? merge.get<std::string>()
                                     : merge[0].get<std::string>() + " " + merge[1].get<std::string>()) +
                  end;
    folder.write("merges.txt", merges);
}

TEST_CASE("folders give the ids of transformers", "[io][tokenizer]") {
    auto const entries = golden("folders.json");
    CHECK(entries.size() >= 17);
    for (auto const& entry : entries) {
        scratch_dir const folder;
        auto const source = entry.at("source").get<std::string>();
        CAPTURE(entry.at("name").get<std::string>());
        if (entry.contains("whole")) {
            auto content = golden(source);
            if (entry.contains("more")) content.update(entry.at("more"));
            if (entry.contains("drop")) content["added_tokens"] = json::array();
            folder.write("tokenizer.json", content.dump());
        } else {
            write_vocab_and_merges(folder, source);
        }
        for (auto const& [name, file] : entry.at("files").items()) folder.write(name, file.dump());
        auto const tokens = tokenizer::from_folder(folder.path());
        CHECK(tokens.size() == entry.at("size").get<plateau::index>());
        CHECK(tokens.notice().empty());
        if (!entry.at("bos").is_null()) CHECK(tokens.bos() == entry.at("bos").get<token_id>());
        if (!entry.at("eos").is_null()) CHECK(tokens.eos() == entry.at("eos").get<token_id>());
        for (auto const& one : entry.at("cases")) {
            auto const text = one[0].get<std::string>();
            CAPTURE(text);
            CHECK(tokens.encode(text, bos_policy::as_published) == one[1].get<ids>());
            CHECK(tokens.decode(one[1].get<ids>()) == one[2].get<std::string>());
        }
        auto const beyond = static_cast<token_id>(tokens.size() + 7);
        CHECK(tokens.decode(ids{beyond, 5}) == entry.at("gap").get<std::string>());
        CHECK_FALSE(tokens.has(beyond));
    }
}

TEST_CASE("files of another system give the same folder", "[io][tokenizer]") {
    scratch_dir const folder, plain;
    write_vocab_and_merges(plain, "words.json");
    write_vocab_and_merges(folder, "words.json", "\r\n");
    std::string const mark = "\xEF\xBB\xBF";
    folder.write("vocab.json", mark + bytes_of(folder / "vocab.json"));
    folder.write("tokenizer_config.json", mark + R"({"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true})");
    plain.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true})");
    auto const a = tokenizer::from_folder(folder.path()), b = tokenizer::from_folder(plain.path());
    CHECK(a.encode(" the plateau, 12", bos_policy::as_published) ==
          b.encode(" the plateau, 12", bos_policy::as_published));
    CHECK(a.encode("", bos_policy::as_published) == ids{360});
}

TEST_CASE("a folder that does not say how words are cut is taken for GPT-2's, with a notice", "[io][tokenizer]") {
    scratch_dir const folder;
    write_vocab_and_merges(folder, "words.json");
    auto const expected = tokenizer::from_json(golden("words.json").dump(), "t").encode(" the plateau's 12");
    for (std::string const text :
         {"", R"({"tokenizer_class": "PreTrainedTokenizerFast"})", R"({"tokenizer_class": null})"}) {
        if (!text.empty()) folder.write("tokenizer_config.json", text);
        auto const tokens = tokenizer::from_folder(folder.path());
        CHECK(tokens.encode(" the plateau's 12") == expected);
        CHECK_THAT(tokens.notice(), contains("GPT-2"));
    }
}

TEST_CASE("folders of other tokenizers are refused with the command that converts", "[io][tokenizer][bad-input]") {
    scratch_dir const folder;
    for (auto const* name : {"tokenizer.model", "spiece.model", "tekken.json"}) {
        scratch_dir const other;
        other.write(name, "x");
        auto const problem = message_of<file_error>([&] { tokenizer::from_folder(other.path()); });
        CHECK_THAT(problem, contains(name) && contains("AutoTokenizer.from_pretrained('" + other.path().string()) &&
                                contains("save_pretrained"));
    }
    CHECK_THAT(message_of<file_error>([&] { tokenizer::from_folder(folder.path()); }), contains("tokenizer.json"));
    write_vocab_and_merges(folder, "words.json");
    folder.write("tokenizer_config.json", R"({"tokenizer_class": "RobertaTokenizerFast"})");
    CHECK_THAT(message_of<config_error>([&] { tokenizer::from_folder(folder.path()); }),
               contains("\"RobertaTokenizer\"") && contains("AutoTokenizer.from_pretrained"));
    folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer"})");
    auto const refusal = [&] { return message_of<config_error>([&] { tokenizer::from_folder(folder.path()); }); };
    folder.write("merges.txt", "a b\nab b c\n");
    CHECK_THAT(refusal(), contains("merges.txt") && contains("ab b c"));
    folder.write("merges.txt", "a \xe2\x98\x83\n");
    CHECK_THAT(refusal(), contains("merge number 0"));
    folder.write("merges.txt", "");
    folder.write("vocab.json", "[]");
    CHECK_THAT(refusal(), contains("vocab.json"));
    folder.write("vocab.json", R"({"a": "b"})");
    CHECK_THAT(refusal(), contains("token id"));
    folder.write("vocab.json", R"({"a": 0})");
    for (auto const* bad :
         {R"("added_tokens_decoder": [])", R"("added_tokens_decoder": {"x": {"content": "y"}})",
          R"("added_tokens_decoder": {"1": 2})", R"("pad_token": 3)", R"("extra_special_tokens": [1])"}) {
        folder.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2Tokenizer", )" + std::string(bad) + "}");
        CAPTURE(bad);
        CHECK_THAT(refusal(), contains("tokenizer_config.json"));
    }
}

}  // namespace
