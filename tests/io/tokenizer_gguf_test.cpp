#include <plateau/io/tokenizer/gguf.hpp>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/io/tokenizer/gguf_words.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/gguf_bytes.hpp"
#include "support/scratch.hpp"

using namespace plateau::io;
using namespace plateau::testing;
using plateau::config_error;
using plateau::token_id;

namespace {

using ids = std::vector<token_id>;
using texts = std::vector<std::string>;

std::filesystem::path golden(std::string const& name) {
    return std::filesystem::path(baked::tests) / "golden" / "gguf" / name;
}

tokenizer from_gguf(gguf_bytes const& bytes) {
    scratch_dir const folder;
    return tokenizer::from_gguf(gguf_file{folder.write("model.gguf", bytes.bytes())});
}

std::string refusal(gguf_bytes const& bytes) {
    return message_of<config_error>([&] { from_gguf(bytes); });
}

/// A byte-level vocabulary; its last token is bos.
gguf_bytes named_words(std::string const& pre, texts const& tokens, texts const& merges) {
    gguf_bytes bytes;
    bytes.text("tokenizer.ggml.model", "gpt2").texts("tokenizer.ggml.tokens", tokens);
    if (!pre.empty()) bytes.text("tokenizer.ggml.pre", pre);
    bytes.texts("tokenizer.ggml.merges", merges);
    bytes.integer("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(tokens.size() - 1));
    return bytes;
}

/// A SentencePiece vocabulary of four letters: "ab" and "bc" have one score, "abc" a higher and "abcd" a lower one.
gguf_bytes scored_letters(std::vector<double> const& scores = {0, 0, 0, 0, 0, 0, 0, 0, -2, -2, -1, -3}) {
    gguf_bytes bytes;
    bytes.text("tokenizer.ggml.model", "llama");
    bytes.texts("tokenizer.ggml.tokens",
                {"<unk>", "<s>", "</s>", "\u2581", "a", "b", "c", "d", "ab", "bc", "abc", "abcd"});
    std::string stored = little_endian(std::uint32_t{6}) + little_endian(std::uint64_t{scores.size()});
    for (double score : scores) stored += little_endian(static_cast<float>(score));
    bytes.raw_pair("tokenizer.ggml.scores", 9, stored);
    bytes.integers("tokenizer.ggml.token_type", {2, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1});
    return bytes;
}

}  // namespace

TEST_CASE("SentencePiece vocabularies give the ids of llama.cpp", "[io][tokenizer]") {
    auto const files = nlohmann::json::parse(bytes_of(golden("scores.json")));
    CHECK(files.size() == 5);
    for (auto const& [name, listed] : files.items()) {
        CAPTURE(name);
        auto const tokens = tokenizer::from_gguf(gguf_file{golden(name)});
        CHECK(tokens.adds_bos() == listed["bos"].get<bool>());
        CHECK(tokens.bos() == 1);
        CHECK(listed["cases"].size() > 40);
        for (auto const& entry : listed["cases"]) {
            auto const text = entry[0].get<std::string>();
            CAPTURE(text);
            CHECK(tokens.encode(text) == entry[1].get<ids>());
        }
    }
    auto const tokens = tokenizer::from_gguf(gguf_file{golden("scores.gguf")});
    for (std::string_view text : {"The plateau", " lies  high\n", "é ß жук 中文 🚀"}) {
        CHECK(tokens.decode(tokens.encode(text)) == text);
    }
    CHECK(tokens.is_special(0));
    CHECK_FALSE(tokens.is_special(3));
}

TEST_CASE("scores order the merges, and equal ones the leftmost first", "[io][tokenizer]") {
    auto const tokens = from_gguf(scored_letters());
    CHECK(tokens.adds_bos());
    CHECK(tokens.eos() == 2);
    CHECK(tokens.encode("abcd") == ids{3, 11});
    CHECK(tokens.encode("bcd") == ids{3, 9, 7});
    CHECK(tokens.encode("<s>a</s> b") == ids{1, 3, 4, 2, 3, 3, 5});
    CHECK(tokens.encode("axb") == ids{3, 4, 0, 5});  // no token for the bytes of x
    auto const flat = from_gguf(scored_letters(std::vector<double>(12, -1000)));
    CHECK(flat.encode("bcabc") == ids{3, 9, 10});
    CHECK(from_gguf(scored_letters().boolean("tokenizer.ggml.add_space_prefix", false)).encode("a b") == ids{4, 3, 5});
    CHECK_FALSE(from_gguf(scored_letters().boolean("tokenizer.ggml.add_bos_token", false)).adds_bos());
}

TEST_CASE("merging by scores against a plain search", "[io][tokenizer]") {
    plateau::counter_rng rng{5};
    for (int round = 0; round < 40; ++round) {
        tokenizer_spec spec;
        spec.where = "random";
        spec.model.characters = true;
        std::vector<std::string> listed = {"a", "b", "c"};
        while (listed.size() < 20) {
            std::string token;
            for (auto size = 2 + rng.below(4); token.size() < size;) token += static_cast<char>('a' + rng.below(3));
            if (std::find(listed.begin(), listed.end(), token) == listed.end()) listed.push_back(token);
        }
        for (std::size_t i = 0; i < listed.size(); ++i) {
            spec.tokens.push_back({listed[i], static_cast<token_id>(i)});
            spec.scores.push_back(static_cast<double>(rng.below(6)) - 3);
        }
        auto const scores = spec.scores;
        tokenizer const tokens{std::move(spec)};
        auto const number = [&](std::string const& text) {
            auto const at = std::find(listed.begin(), listed.end(), text);
            return at == listed.end() ? -1 : static_cast<token_id>(at - listed.begin());
        };
        for (int text = 0; text < 20; ++text) {
            std::string word;
            for (auto size = 1 + rng.below(30); word.size() < size;) word += static_cast<char>('a' + rng.below(3));
            std::vector<std::string> pieces;
            for (char c : word) pieces.emplace_back(1, c);
            while (true) {
                std::size_t best = pieces.size();
                double score = 0;
                for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
                    auto const id = number(pieces[i] + pieces[i + 1]);
                    if (id < 0 || (best < pieces.size() && scores[static_cast<std::size_t>(id)] <= score)) continue;
                    best = i;
                    score = scores[static_cast<std::size_t>(id)];
                }
                if (best == pieces.size()) break;
                pieces[best] += pieces[best + 1];
                pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(best) + 1);
            }
            ids expected;
            for (auto const& piece : pieces) expected.push_back(number(piece));
            CAPTURE(word);
            CHECK(tokens.encode(word) == expected);
        }
    }
}

TEST_CASE("the ways to cut words of llama.cpp's pre-tokenizers", "[io][tokenizer]") {
    auto const words = nlohmann::json::parse(bytes_of(golden("words.json")));
    auto const tokens = words["tokens"].get<texts>(), merges = words["merges"].get<texts>();
    auto const listed = words["texts"].get<texts>();
    CHECK(words["ways"].size() == 39);
    for (auto const& [name, way] : words["ways"].items()) {
        CAPTURE(name);
        auto const read = from_gguf(named_words(name, tokens, merges));
        CHECK(read.adds_bos() == way["bos"].get<bool>());
        for (std::size_t i = 0; i < listed.size(); ++i) {
            CAPTURE(listed[i]);
            CHECK(read.encode(listed[i]) == way["ids"][i].get<ids>());
        }
    }
    auto const marks = words["marks"].get<texts>();
    CHECK(words["published"].size() == 5);
    for (auto const& [name, expected] : words["published"].items()) {
        CAPTURE(name);
        auto const read = from_gguf(named_words(name, tokens, merges));
        for (std::size_t i = 0; i < marks.size(); ++i) CHECK(read.encode(marks[i]) == expected[i].get<ids>());
    }
}

TEST_CASE("every way to cut words that a GGUF file can name", "[io][tokenizer]") {
    for (std::string name : {"llama3", "gemma4", "glm5", "talkie", "hy_v4", "poro-chat", "sarvam-moe", "exaone4"}) {
        CAPTURE(name);
        auto const* const words = find_gguf_words(name);
        REQUIRE(words != nullptr);
        auto const read = from_gguf(named_words(name, {"a", "b", "<s>"}, {}));
        CHECK(read.adds_bos() == (name == "llama3" || name == "gemma4"));
        CHECK(read.encode("ab") == ids{0, 1});
    }
    for (char const* name : {"", " ", "gpt", "llama", "default", "kimi-k2", "gpt-2 ", "phi-2 jina-es"})
        CHECK(find_gguf_words(name) == nullptr);
    // The published tokenizers of these compose characters; marks belong to the letters before them.
    texts const tokens = {"\xC3\x83", "\xC2\xA9", "\xC3\x83\xC2\xA9", "e", "\xC3\x8C", "\xC4\xA3", "<s>"};
    texts const merges = {"\xC3\x83 \xC2\xA9"};
    for (std::string name : {"qwen2", "olmo", "mpt", "stablelm2", "command-r"})
        CHECK(from_gguf(named_words(name, tokens, merges)).encode("e\u0301") == ids{2});
    for (std::string name : {"gpt-2", "qwen35", "llama-bpe", "dbrx"})
        CHECK(from_gguf(named_words(name, tokens, merges)).encode("e\u0301") == ids{3, 4, 5});
}

TEST_CASE("GGUF files that do not tell how they cut words", "[io][tokenizer][bad-input]") {
    for (std::string pre : {"", "default"}) {
        auto const message = refusal(named_words(pre, {"a", "b"}, {}));
        CHECK_THAT(message, contains("\"tokenizer.ggml.pre\" is " + (pre.empty() ? "missing" : "\"" + pre + "\"")));
        CHECK_THAT(message, contains("gguf-new-metadata --pre-tokenizer"));
        CHECK_THAT(message, contains("token ids"));
        auto const known = from_gguf(named_words(pre, {"e", "<|padding|>", "\xC3\x83", "\xC2\xA9", "x"}, {}));
        CHECK(known.encode("e\u0301") == ids{2, 3});  // GPT-NeoX's, which composes
    }
    CHECK_THAT(refusal(named_words("kimi-k2", {"a"}, {})), contains("\"kimi-k2\""));
    CHECK_THAT(refusal(named_words("kimi-k2", {"a"}, {})), contains("Hugging Face folder"));
    auto bytes = gguf_bytes{}.text("tokenizer.ggml.model", "gpt2").text("tokenizer.ggml.pre", "llama-bpe");
    bytes.texts("tokenizer.ggml.tokens", {"a"}).texts("tokenizer.ggml.merges", {});
    CHECK_FALSE(from_gguf(bytes).adds_bos());  // there is none to add
    CHECK_THAT(refusal(bytes.boolean("tokenizer.ggml.add_bos_token", true)), contains("no bos token"));
}

TEST_CASE("SentencePiece vocabularies that are refused", "[io][tokenizer][bad-input]") {
    CHECK_THAT(refusal(scored_letters({0, 1})), contains("tokenizer.ggml.scores"));
    CHECK_THAT(refusal(scored_letters().boolean("tokenizer.ggml.remove_extra_whitespaces", true)),
               contains("remove_extra_whitespaces"));
    CHECK_THAT(refusal(scored_letters().integers("tokenizer.ggml.precompiled_charsmap", {1, 2})),
               contains("precompiled_charsmap"));
    CHECK_THAT(refusal(scored_letters().boolean("tokenizer.ggml.add_eos_token", true)), contains("add_eos_token"));
    for (std::string model : {"none", "no_vocab"})
        CHECK_THAT(refusal(gguf_bytes{}.text("tokenizer.ggml.model", model)), contains("no vocabulary"));
    CHECK(from_gguf(scored_letters().boolean("tokenizer.ggml.remove_extra_whitespaces", false)).encode("a") ==
          ids{3, 4});
}
