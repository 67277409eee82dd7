// The program tokenize: ids and pieces of texts, of folders and files that hold a tokenizer and nothing else.

#include <string>

#include <plateau/io/tokenizer.hpp>

#include "programs/run.hpp"
#include "support/gguf_bytes.hpp"

namespace {

using namespace programs;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

std::filesystem::path golden_tokenizer(std::string const& name) {
    return std::filesystem::path(baked::tests) / "golden/tokenizer" / name;
}

std::string ids(plateau::io::tokenizer const& tokens, std::string const& text) {
    std::string line;
    for (auto const id : tokens.encode(text)) line += (line.empty() ? "" : " ") + std::to_string(id);
    return line + "\n";
}

TEST_CASE("tokenize writes the ids of texts, a line each", "[programs][tokenize]") {
    scratch_dir const dir;
    dir.write("model/tokenizer.json", bytes_of(golden_tokenizer("digits.json")));
    auto const model = (dir / "model").string();
    auto const tokens = plateau::io::tokenizer::from_folder(model);
    auto const run = [&](words more) {
        more.insert(more.begin(), {"--model", model});
        return succeed("tokenize", more).out;
    };
    std::string const text = " The plateau's\r\n12\n";
    CHECK(run({"--text", text, "--bos", "off"}) == ids(tokens, text));
    CHECK(run({"--text", text}) == "0 " + ids(tokens, text));  // its post-processor begins with token 0
    CHECK(run({"--text", text, "--bos", "on"}) == "0 " + ids(tokens, text));
    CHECK(run({"--text", "", "--bos", "off"}) == "\n");
    CHECK(run({"--text", ""}) == "0\n");
    // a file is one text, byte for byte; of prompts only lines are left
    std::string const file =
        "\xEF\xBB\xBF"
        " one\r\n\r\ntwo";
    auto const path = dir.write("t.txt", file).string();
    CHECK(run({"--file", path, "--bos", "off"}) == ids(tokens, file));
    CHECK(run({"--file", dir.write("empty.txt", "").string(), "--bos", "off"}) == "\n");
    CHECK(run({"--prompts", path, "--bos", "off"}) == ids(tokens, " one") + "\n" + ids(tokens, "two"));
    CHECK(run({"--prompts", path}) == "0 " + ids(tokens, " one") + "0\n0 " + ids(tokens, "two"));
    CHECK(run({"--text", "a\n<|im_end|>\\", "--bos", "off", "--pieces"}) ==
          ids(tokens, "a").substr(0, ids(tokens, "a").size() - 1) + "\ta\n" +
              ids(tokens, "\n").substr(0, ids(tokens, "\n").size() - 1) + "\t\\n\n1\t<|im_end|>\n" +
              ids(tokens, "\\").substr(0, ids(tokens, "\\").size() - 1) + "\t\\\\\n");
    CHECK(run({"--text", "", "--bos", "off", "--pieces"}).empty());

    auto const twice = programs::run("tokenize", {"--model", model, "--text", "<|im_start|>the"});
    CHECK(twice.status == 0);
    CHECK(twice.out == "0 " + ids(tokens, "<|im_start|>the"));
    CHECK_THAT(twice.err, contains("BOS") && contains("two in all") && contains("--bos off"));
    CHECK(run({"--text", "<|im_start|>the", "--bos", "off"}) == ids(tokens, "<|im_start|>the"));
}

TEST_CASE("tokenize needs a vocabulary alone", "[programs][tokenize]") {
    scratch_dir const dir;
    plateau::testing::gguf_bytes bytes;
    bytes.text("general.architecture", "of-no-family").text("tokenizer.ggml.model", "gpt2");
    bytes.text("tokenizer.ggml.pre", "gpt-2").texts("tokenizer.ggml.tokens", {"a", "b", "ab", "abb"});
    bytes.texts("tokenizer.ggml.merges", {"a b", "ab b"});
    auto const gguf = dir.write("vocab.gguf", bytes.bytes()).string();
    CHECK(succeed("tokenize", {"--model", gguf, "--text", "abba"}).out == "3 0\n");
    CHECK_FALSE(succeed("tokenize", {"--text", "the"}).out.empty());  // of the embedded model

    auto const fails = [&](int status, words const& arguments, std::string const& part) {
        fail(status, "tokenize", arguments, part);
    };
    fails(2, {"--model", gguf}, "--text, --file or --prompts");
    fails(2, {"--model", gguf, "--text", "a", "--file", gguf}, "--file");
    fails(2, {"--model", gguf, "--text", "a", "--bos", "maybe"}, "--bos");
    fails(2, {"--model", gguf, "--text", "a", "--bos", "on"}, "beginning-of-text");
    fails(1, {"--model", gguf, "--text", "a\xff"}, "UTF-8");
    fails(1, {"--model", gguf, "--file", (dir / "absent").string()}, "absent");
    fails(1, {"--model", (dir / "absent").string(), "--text", "a"}, "no model");
    fails(1, {"--model", dir.path().string(), "--text", "a"}, "tokenizer.json");
    auto const wide = dir.write("wide.txt", std::string("\xFF\xFE"
                                                        "a\0",
                                                        4));
    for (auto const* option : {"--prompts", "--file"}) fails(1, {"--model", gguf, option, wide.string()}, "iconv");
    for (auto const* word : {"--model", "--text", "--file", "--prompts", "--bos", "--pieces", "empty line"})
        CHECK_THAT(succeed("tokenize", {"--help"}).out, contains(word));
    CHECK_FALSE(succeed("tokenize", {"--version"}).out.empty());
}

}  // namespace
