#include <plateau/io/tokenizer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/gguf_bytes.hpp"
#include "support/scratch.hpp"

using namespace plateau::io;
using namespace plateau::testing;
using plateau::config_error;
using plateau::domain_error;
using plateau::file_error;
using plateau::token_id;

namespace {

using ids = std::vector<token_id>;

std::filesystem::path golden(std::string const& name) { return std::filesystem::path(baked::tests) / "golden" / name; }

nlohmann::json tokenizer_json(std::string const& name) {
    return nlohmann::json::parse(bytes_of(golden("tokenizer/" + name)));
}

std::string refusal(nlohmann::json const& root) {
    return message_of<config_error>([&] { tokenizer::from_json(root.dump(), "tokenizer.json"); });
}

/// Three letters, two merges.
nlohmann::json small_json() {
    return nlohmann::json::parse(
        R"({"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "abb": 3}, "merges": ["a b", "ab b"]},
                          "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}})");
}

/// The same in a GGUF file, without the keys that a test leaves out.
gguf_bytes small_gguf(std::vector<std::string> const& without = {}) {
    auto const wanted = [&](std::string const& key) {
        return std::find(without.begin(), without.end(), key) == without.end();
    };
    gguf_bytes bytes;
    if (wanted("model")) bytes.text("tokenizer.ggml.model", "gpt2");
    if (wanted("pre")) bytes.text("tokenizer.ggml.pre", "gpt-2");
    if (wanted("tokens")) bytes.texts("tokenizer.ggml.tokens", {"a", "b", "ab", "abb", "<|x|>"});
    if (wanted("merges")) bytes.texts("tokenizer.ggml.merges", {"a b", "ab b"});
    if (wanted("types")) bytes.integers("tokenizer.ggml.token_type", {1, 1, 1, 1, 3});
    return bytes;
}

tokenizer from_gguf(gguf_bytes const& bytes) {
    scratch_dir const folder;
    return tokenizer::from_gguf(gguf_file{folder.write("model.gguf", bytes.bytes())});
}

std::string refusal(gguf_bytes const& bytes) {
    return message_of<config_error>([&] { from_gguf(bytes); });
}

void check_cases(tokenizer const& tokens, nlohmann::json const& cases) {
    for (auto const& entry : cases) {
        auto const text = entry[0].get<std::string>();
        CAPTURE(text);
        CHECK(tokens.encode(text) == entry[1].get<ids>());
    }
}

}  // namespace

TEST_CASE("the ids of Hugging Face tokenizers", "[io][tokenizer]") {
    auto const cases = tokenizer_json("cases.json");
    for (auto const& [name, listed] : cases.items()) {
        CAPTURE(name);
        CHECK(listed.size() > 60);
        check_cases(tokenizer::from_json_file(golden("tokenizer/" + name)), listed);
    }
}

TEST_CASE("a GGUF file gives the same tokenizer", "[io][tokenizer]") {
    auto const tokens = tokenizer::from_gguf(gguf_file{golden("gguf/tiny_llama.gguf")});
    check_cases(tokens, tokenizer_json("cases.json").at("digits.json"));
    CHECK(tokens.size() == 340);
    CHECK(tokens.bos() == 0);
    CHECK(tokens.eos() == 1);
    CHECK(tokens.adds_bos());
    CHECK(tokens.token_text(0) == "<|im_start|>");
}

TEST_CASE("the text that Hugging Face tokenizers decodes", "[io][tokenizer]") {
    auto const decoded = tokenizer_json("decoded.json");
    CHECK(decoded.size() == 9);
    for (auto const& [name, listed] : decoded.items()) {
        CAPTURE(name);
        auto const tokens = tokenizer::from_json_file(golden("tokenizer/" + name));
        for (auto const& entry : listed) {
            CAPTURE(entry[0].dump());
            auto const list = entry[0].get<ids>();
            CHECK(tokens.decode(list) == entry[1].get<std::string>());
            CHECK(tokens.decode(list, special_tokens::skipped) == entry[2].get<std::string>());
        }
    }
}

TEST_CASE("decoding undoes encoding, and ids are one text after the other", "[io][tokenizer]") {
    auto const tokens = tokenizer::from_json_file(golden("tokenizer/words.json"));
    auto const cases = tokenizer_json("cases.json");
    for (auto const& entry : cases.at("words.json")) {
        auto const text = entry[0].get<std::string>();
        auto const encoded = tokens.encode(text);
        CHECK(tokens.decode(encoded) == text);
        std::string joined;
        for (token_id id : encoded) joined += tokens.token_text(id);
        CHECK(joined == text);
    }
    CHECK(tokens.decode({}).empty());
    CHECK(tokens.encode("").empty());
    CHECK(tokens.token_text(tokens.encode(" the")[0]) == " the");
    CHECK(tokens.decode(ids{tokens.encode("é")[0]}) == "\uFFFD");
    CHECK(tokens.token_text(tokens.encode("é")[0]) == "\xC3");

    auto const characters = tokenizer::from_json_file(golden("tokenizer/llama2.json"));
    auto const encoded = characters.encode("the é");
    CHECK(characters.decode(encoded) == "the é");
    CHECK(characters.token_text(encoded[0])[0] == ' ');
    CHECK(characters.token_text(encoded.back()) == "\xA9");
}

TEST_CASE("special tokens", "[io][tokenizer]") {
    auto const tokens = tokenizer::from_json_file(golden("tokenizer/llama2.json"));
    auto const encoded = tokens.encode("<s>the</s>");
    CHECK(encoded.front() == 1);
    CHECK(tokens.decode(encoded, special_tokens::skipped) == "the");
    CHECK(tokens.decode(encoded) == "<s> the</s>");
    CHECK(tokens.is_special(1));
    CHECK_FALSE(tokens.is_special(encoded[1]));
    CHECK_THROWS_AS(tokens.is_special(-1), domain_error);
    auto const gguf = from_gguf(small_gguf());
    CHECK(gguf.is_special(4));
    CHECK(gguf.decode(ids{3, 4}, special_tokens::skipped) == "abb");

    // one that its normalizer changes is special, but decoding shows it
    auto root = tokenizer_json("llama2.json");
    root["added_tokens"][1]["normalized"] = true;
    auto const normalized = tokenizer::from_json(root.dump(), "t");
    CHECK(normalized.is_special(1));
    CHECK(normalized.decode(ids{1, 2}, special_tokens::skipped) == "<s>");
}

TEST_CASE("bos stands before a text where the policy says so", "[io][tokenizer]") {
    auto const adds = tokenizer::from_json_file(golden("tokenizer/llama2.json"));
    auto const without = adds.encode("the");
    auto with = without;
    with.insert(with.begin(), 1);
    CHECK(adds.encode("the", bos_policy::as_published) == with);
    CHECK(adds.encode("the", bos_policy::always) == with);
    CHECK(adds.encode("the", bos_policy::never) == without);
    auto const none = tokenizer::from_json_file(golden("tokenizer/words.json"));
    CHECK(none.encode("the", bos_policy::as_published) == none.encode("the"));
    CHECK(none.encode("the", bos_policy::never) == none.encode("the"));
    CHECK_THROWS_AS(none.encode("the", bos_policy::always), config_error);
}

TEST_CASE("ids that do not exist", "[io][tokenizer][bad-input]") {
    auto const tokens = tokenizer::from_json_file(golden("tokenizer/words.json"));
    CHECK(tokens.size() == 361);
    for (token_id id : {-1, 361, 1 << 30, -2147483647}) {
        CAPTURE(id);
        CHECK_THROWS_AS(tokens.token_text(id), domain_error);
        CHECK_FALSE(tokens.has(id));
        if (id < 0) CHECK_THROWS_AS(tokens.decode(ids{1, id}), domain_error);
        else CHECK(tokens.decode(ids{1, id, 2}) == tokens.decode(ids{1, 2}));
    }
    // a gap
    auto root = small_json();
    root["model"]["vocab"]["c"] = 6;
    auto const gapped = tokenizer::from_json(root.dump(), "t");
    CHECK(gapped.decode(ids{0, 4, 5, 6}) == "a c");  // as tokenizers joins tokens where there is no decoder
    CHECK_FALSE(gapped.has(4));
    CHECK(gapped.has(6));
}

TEST_CASE("text that is not UTF-8", "[io][tokenizer][bad-input]") {
    auto const tokens = tokenizer::from_json_file(golden("tokenizer/words.json"));
    for (std::string_view bad : {"ab\xff", "ab\xc3", "ab\xed\xa0\x80", "ab\xc0\x80", "ab\xf4\x90\x80\x80", "ab\x80"}) {
        CHECK_THAT(message_of<domain_error>([&] { tokens.encode(bad); }), contains("byte 2"));
    }
    CHECK(tokens.decode(tokens.encode(std::string_view("a\0b", 3))) == std::string_view("a\0b", 3));
}

TEST_CASE("bos, eos and tokenizer_config.json", "[io][tokenizer]") {
    auto const words = tokenizer::from_json_file(golden("tokenizer/words.json"));
    CHECK_FALSE(words.adds_bos());
    CHECK_FALSE(words.bos().has_value());
    auto const digits = tokenizer::from_json_file(golden("tokenizer/digits.json"));
    CHECK(digits.adds_bos());
    CHECK(digits.bos() == 0);

    scratch_dir const folder;
    auto const with = [&](std::string const& name, std::string const& config) {
        folder.write("tokenizer_config.json", config);
        return tokenizer::from_json_file(folder.write("tokenizer.json", bytes_of(golden("tokenizer/" + name))));
    };
    auto const named =
        with("words.json", R"({"bos_token": "<|endoftext|>", "eos_token": {"content": "<|endoftext|>"}})");
    CHECK(named.bos() == 360);
    CHECK(named.eos() == 360);
    CHECK_FALSE(named.adds_bos());
    // With a tokenizer.json its post-processor alone counts.
    CHECK_FALSE(with("words.json", R"({"bos_token": "<|endoftext|>", "add_bos_token": true, "add_eos_token": true})")
                    .adds_bos());
    CHECK(with("digits.json", R"({"bos_token": "<|im_start|>", "add_bos_token": false})").adds_bos());
    CHECK(with("digits.json", R"({"bos_token": null, "eos_token": "<|im_end|>"})").bos() == 0);
    CHECK_FALSE(with("words.json", R"({"add_bos_token": true})").adds_bos());
    for (std::string name : {"LlamaTokenizer", "LlamaTokenizerFast", "GemmaTokenizerFast", "GPT2Tokenizer"}) {
        CHECK_FALSE(
            with("words.json", R"({"bos_token": "<|endoftext|>", "tokenizer_class": ")" + name + "\"}").adds_bos());
    }
    CHECK_FALSE(with("digits.json", R"({"tokenizer_class": "GPTNeoXTokenizer"})").adds_bos());
    CHECK(with("words.json", R"({"tokenizer_class": "CodeLlamaTokenizer"})").adds_bos());
    CHECK_THAT(message_of<config_error>([&] { with("words.json", R"({"split_special_tokens": true})"); }),
               contains("split_special_tokens"));
    CHECK_THROWS_AS(with("words.json", R"({"bos_token": 3})"), config_error);
    CHECK_THROWS_AS(with("words.json", "[]"), config_error);
    CHECK_THROWS_AS(with("words.json", "{"), file_error);
}

TEST_CASE("a word that is a token can be kept whole", "[io][tokenizer]") {
    auto root = small_json();
    root["model"]["vocab"]["bab"] = 4;
    CHECK(tokenizer::from_json(root.dump(), "t").encode("bab") == ids{1, 2});
    root["model"]["ignore_merges"] = true;
    CHECK(tokenizer::from_json(root.dump(), "t").encode("bab") == ids{4});
}

TEST_CASE("a byte without a token vanishes or becomes the unknown token", "[io][tokenizer]") {
    auto root = small_json();
    CHECK(tokenizer::from_json(root.dump(), "t").encode("axb") == ids{2});
    root["model"]["vocab"]["?"] = 4;
    root["model"]["unk_token"] = "?";
    CHECK(tokenizer::from_json(root.dump(), "t").encode("axxb") == ids{0, 4, 4, 1});
}

TEST_CASE("tokenizers that are not supported say what they are", "[io][tokenizer][bad-input]") {
    CHECK(refusal(small_json()) == "NO EXCEPTION");
    auto const with = [](char const* pointer, char const* value) {
        auto root = small_json();
        root[nlohmann::json::json_pointer(pointer)] = nlohmann::json::parse(value);
        return refusal(root);
    };
    for (std::string model : {"Unigram", "WordPiece", "WordLevel"})
        CHECK_THAT(with("/model/type", ("\"" + model + "\"").c_str()), contains(model));
    CHECK_THAT(with("/model/byte_fallback", "true"), contains("byte_fallback"));
    CHECK_THAT(with("/model/dropout", "0.1"), contains("dropout"));
    CHECK_THAT(with("/model/end_of_word_suffix", "\"</w>\""), contains("end_of_word_suffix"));
    CHECK_THAT(with("/model/continuing_subword_prefix", "\"##\""), contains("continuing_subword_prefix"));
    for (std::string type : {"Lowercase", "BertNormalizer", "Precompiled", "Nmt", "StripAccents"})
        CHECK_THAT(with("/normalizer", ("{\"type\": \"" + type + "\"}").c_str()), contains(type));
    CHECK_THAT(with("/normalizer", R"({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})"),
               contains(" {2,}"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Whitespace"})"), contains("Whitespace"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"})"),
               contains("last"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "\\w+"}, "behavior": "Isolated"})"),
               contains("\\w"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Split", "pattern": {"String": "a"}, "behavior": "Kept"})"),
               contains("Kept"));
    CHECK_THAT(
        with("/pre_tokenizer", R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]})"),
        contains("Digits"));
    CHECK_THAT(with("/decoder", R"({"type": "WordPiece"})"), contains("WordPiece"));
    CHECK_THAT(with("/post_processor", R"({"type": "BertProcessing"})"), contains("BertProcessing"));
    CHECK_THAT(
        with("/post_processor",
             R"({"type": "TemplateProcessing", "single": [{"Sequence": {}}, {"SpecialToken": {"id": "</s>"}}]})"),
        contains("</s>"));
}

TEST_CASE("malformed tokenizers", "[io][tokenizer][bad-input]") {
    CHECK_THROWS_AS(tokenizer::from_json_file("/nonexistent/tokenizer.json"), file_error);
    CHECK_THROWS_AS(tokenizer::from_json("{", "t"), file_error);
    CHECK_THROWS_AS(tokenizer::from_json("[]", "t"), config_error);
    CHECK_THROWS_AS(tokenizer::from_json("{}", "t"), config_error);
    auto const with = [](char const* pointer, char const* value) {
        auto root = small_json();
        root[nlohmann::json::json_pointer(pointer)] = nlohmann::json::parse(value);
        return refusal(root);
    };
    for (char const* bad : {"-1", "1.5", "\"0\"", "null", "4294967296", "[]"})
        CHECK_THAT(with("/model/vocab/a", bad), contains("token id"));
    CHECK_THAT(with("/model/vocab/a", "1"), contains("two tokens have the id 1"));
    CHECK_THAT(with("/model/vocab/a", "2147483647"), contains("absurd"));
    CHECK_THAT(with("/model/vocab", "[]"), contains("vocab"));
    CHECK_THAT(with("/model/unk_token", "\"?\""), contains("unknown token"));
    CHECK_THAT(with("/model/merges", "{}"), contains("merges"));
    for (char const* bad : {"\"ab\"", "\"a b b\"", "[\"a\"]", "[\"a\", 1]", "3", "null"})
        CHECK_THAT(with("/model/merges/0", bad), contains("two tokens"));
    CHECK_THAT(with("/model/merges/0", "\"a c\""), contains("\"c\""));
    CHECK_THAT(with("/model/merges/0", "\"b a\""), contains("\"ba\""));
    CHECK_THAT(with("/added_tokens", "{}"), contains("added_tokens"));
    CHECK_THAT(with("/added_tokens", "[3]"), contains("added token"));
    CHECK_THAT(with("/added_tokens", R"([{"content": "x"}])"), contains("no id"));
    CHECK_THAT(with("/added_tokens", R"([{"content": "x", "id": -4}])"), contains("token id"));
    CHECK_THAT(with("/model/vocab/a", "2000000000"), contains("absurd"));
    CHECK_THAT(with("/pre_tokenizer", "3"), contains("type"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Sequence"})"), contains("pretokenizers"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Split"})"), contains("pattern"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated"})"),
               contains("empty"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"})"),
               contains("PCRE2"));
    CHECK_THAT(with("/pre_tokenizer", R"({"type": "Metaspace"})"), contains("replacement"));
    CHECK_THAT(with("/normalizer", "[]"), contains("type"));
    CHECK_THAT(with("/normalizer", R"({"type": "Prepend"})"), contains("prepend"));
    CHECK_THAT(with("/normalizer", R"({"type": "Replace", "pattern": {"String": ""}, "content": "a"})"),
               contains("empty"));
    CHECK_THAT(with("/decoder", R"({"type": "Strip", "content": " ", "start": -1, "stop": 0})"), contains("negative"));
    CHECK_THAT(with("/decoder", R"({"type": "Strip", "content": "", "start": 1, "stop": 0})"), contains("empty"));
    nlohmann::json many = nlohmann::json::parse(R"({"type": "Sequence", "normalizers": []})");
    for (int i = 0; i < 65; ++i) many["normalizers"].push_back({{"type", "NFC"}});
    CHECK_THAT(with("/normalizer", many.dump().c_str()), contains("65 steps"));
    CHECK_THAT(with("/post_processor", R"({"type": "TemplateProcessing"})"), contains("single"));
    CHECK_THAT(with("/post_processor", R"({"type": "TemplateProcessing", "single": [3]})"), contains("template"));
    CHECK_THAT(
        with(
            "/post_processor",
            R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}], "special_tokens": {"<s>": {"ids": []}}})"),
        contains("one id"));
    CHECK_THAT(
        with(
            "/post_processor",
            R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}], "special_tokens": {"<s>": {"ids": [77]}}})"),
        contains("bos"));
}

TEST_CASE("tokenizers of GGUF files that are refused", "[io][tokenizer][bad-input]") {
    auto const tokens = from_gguf(small_gguf());
    CHECK(tokens.encode("abb<|x|>a") == ids{3, 4, 0});
    CHECK_FALSE(tokens.adds_bos());
    CHECK(from_gguf(small_gguf({"types"})).encode("abb") == ids{3});
    for (std::string key : {"model", "tokens", "merges"})
        CHECK_THAT(refusal(small_gguf({key})), contains("tokenizer.ggml." + key));
    for (std::string model : {"rwkv", "bert", "t5"}) {
        CHECK_THAT(refusal(small_gguf({"model"}).text("tokenizer.ggml.model", model)), contains("\"" + model + "\""));
    }
    for (std::string pre : {"default", "kimi-k2", "gpt"}) {
        CHECK_THAT(refusal(small_gguf({"pre"}).text("tokenizer.ggml.pre", pre)), contains("\"" + pre + "\""));
    }
    CHECK_THAT(refusal(small_gguf({"pre"})), contains("tokenizer.ggml.pre"));
    CHECK_THAT(refusal(small_gguf({"types"}).integers("tokenizer.ggml.token_type", {1, 1})), contains("token_type"));
    CHECK_THAT(refusal(small_gguf({"merges"}).texts("tokenizer.ggml.merges", {"ab"})), contains("two tokens"));
    CHECK_THAT(refusal(small_gguf({"merges"}).texts("tokenizer.ggml.merges", {"a c"})), contains("\"c\""));
    CHECK_THAT(refusal(small_gguf({"tokens"}).integers("tokenizer.ggml.tokens", {1})), contains("an array of strings"));
    CHECK_THAT(refusal(small_gguf().boolean("tokenizer.ggml.add_bos_token", true)), contains("add_bos_token"));
    CHECK_THAT(refusal(small_gguf().boolean("tokenizer.ggml.add_eos_token", true)), contains("add_eos_token"));
    CHECK_THAT(
        refusal(small_gguf().boolean("tokenizer.ggml.add_bos_token", true).integer("tokenizer.ggml.bos_token_id", 99)),
        contains("bos"));
}

TEST_CASE("the ways to cut words that GGUF files name", "[io][tokenizer]") {
    auto const with = [](std::string const& pre, std::string_view text) {
        auto bytes = small_gguf({"pre", "tokens", "merges", "types"}).text("tokenizer.ggml.pre", pre);
        bytes.texts("tokenizer.ggml.tokens",
                    {"1", "a", "11", "111", "aa", "aaa", "Ã", "©", "Ã©", "e", "Ì", "ģ", "ĠĠ", "Ġ"});
        bytes.texts("tokenizer.ggml.merges", {"1 1", "11 1", "a a", "Ã ©", "Ġ Ġ"});
        return from_gguf(bytes).encode(text);
    };
    CHECK(with("gpt-2", "1111") == ids{2, 2});
    CHECK(with("smollm", "1111") == ids{0, 0, 0, 0});
    CHECK(with("llama-bpe", "1111aaa") == ids{3, 0, 5});  // three digits at most, and words that are tokens stay whole
    CHECK(with("qwen2", "11aaa") == ids{0, 0, 4, 1});
    CHECK(with("qwen2", "e\u0301") == ids{8});
    CHECK(with("gpt-2", "e\u0301") == ids{9, 10, 11});
}

TEST_CASE("long words and long texts take no more than their share", "[io][tokenizer]") {
    auto const tokens = tokenizer::from_json_file(golden("tokenizer/words.json"));
    auto const characters = tokenizer::from_json_file(golden("tokenizer/llama2.json"));
    auto const start = std::chrono::steady_clock::now();
    plateau::counter_rng rng{3};
    std::string word, text;
    while (word.size() < 1'000'000) word += static_cast<char>('a' + rng.below(26));
    while (text.size() < 2'000'000) text += " the plateau lies high above the river"[rng.below(38)];
    for (auto const& input :
         {word, text, std::string(1'000'000, 'a'), std::string(1'000'000, ' ') + "x", std::string(500'000, '\n')}) {
        CHECK(tokens.decode(tokens.encode(input)) == input);
        CHECK(characters.decode(characters.encode(input)) == input);
    }
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(60));
}

TEST_CASE("one tokenizer serves many threads", "[io][tokenizer]") {
    auto const tokens = tokenizer::from_json_file(golden("tokenizer/digits.json"));
    auto const cases = tokenizer_json("cases.json").at("digits.json");
    std::vector<int> wrong(4, 0);
    std::vector<std::thread> threads;
    for (auto& count : wrong) {
        threads.emplace_back([&] {
            for (auto const& entry : cases) count += tokens.encode(entry[0].get<std::string>()) != entry[1].get<ids>();
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("the published test vectors of GPT-2", "[io][tokenizer]") {
    char const* const data = std::getenv("PLATEAU_SHARED_DATA");
    if (data == nullptr) PLATEAU_SKIP("PLATEAU_SHARED_DATA is not set");
    auto const folder = std::filesystem::path(data) / "tokenizers";
    if (!std::filesystem::exists(folder)) PLATEAU_SKIP("there is no " + folder.string());
    auto const tokens = tokenizer::from_json_file(folder / "gpt2" / "tokenizer.json");
    std::string const inputs = bytes_of(folder / "vectors" / "ggml-vocab-gpt-2.gguf.inp");
    std::string const outputs = bytes_of(folder / "vectors" / "ggml-vocab-gpt-2.gguf.out");
    std::string const separator = "\n__ggml_vocab_test__\n";
    std::size_t input = 0, output = 0, count = 0;
    while (true) {
        auto const end = inputs.find(separator, input);
        if (end == std::string::npos) break;
        auto const line = outputs.find('\n', output);
        REQUIRE(line != std::string::npos);
        std::string listed;
        for (token_id id : tokens.encode(inputs.substr(input, end - input))) listed += " " + std::to_string(id);
        CHECK(listed + " " == outputs.substr(output, line - output) + " ");
        input = end + separator.size();
        output = line + 1;
        ++count;
    }
    CHECK(count == 46);
}
