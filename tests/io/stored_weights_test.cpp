#include <plateau/io/stored_weights.hpp>

#include <algorithm>
#include <filesystem>
#include <string>

#include <plateau/core/error.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using plateau::io::stored_weights;

std::filesystem::path const golden = std::filesystem::path(baked::tests) / "golden";

TEST_CASE("a folder's tensors are spelled as in safetensors, all shards together", "[io][stored_weights]") {
    stored_weights const shards{golden / "models/llama_sharded"};
    plateau::io::safetensors_checkpoint const checkpoint{golden / "models/llama_sharded"};
    auto const names = checkpoint.names();
    REQUIRE(shards.tensors().size() == names.size());
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto const& info = checkpoint.info(names[i]);
        auto const& one = shards.tensors()[i];
        CHECK(one.spelling.rfind(names[i] + " F32 " + std::to_string(info.shape[0]), 0) == 0);
        CHECK(one.bytes.size() == static_cast<std::size_t>(plateau::io::element_count(info)) * sizeof(float));
    }
}

TEST_CASE("a GGUF file's tensors have its own names and the fastest axis first", "[io][stored_weights]") {
    stored_weights const weights{golden / "gguf/tiny_llama.gguf"};
    plateau::io::gguf_file const file{golden / "gguf/tiny_llama.gguf"};
    auto const& shape = file.info("token_embd.weight").shape;
    auto const& stored = file.info("token_embd.weight").stored;
    bool found = false;
    for (auto const& one : weights.tensors()) {
        if (one.spelling.rfind("token_embd.weight ", 0) != 0) continue;
        found = true;
        CHECK(one.spelling ==
              "token_embd.weight " + stored + " " + std::to_string(shape[1]) + "x" + std::to_string(shape[0]));
    }
    CHECK(found);
    CHECK(weights.tensors().size() == file.names().size());
}

TEST_CASE("a split GGUF file has the tensors of the whole one", "[io][stored_weights]") {
    stored_weights const whole{golden / "gguf/every_type.gguf"}, parts{golden / "gguf/split-00001-of-00003.gguf"};
    REQUIRE(parts.tensors().size() == whole.tensors().size());
    for (std::size_t i = 0; i < whole.tensors().size(); ++i) {
        auto const &left = parts.tensors()[i], &right = whole.tensors()[i];
        CHECK(left.spelling == right.spelling);
        CHECK(std::equal(left.bytes.begin(), left.bytes.end(), right.bytes.begin(), right.bytes.end()));
    }
}

TEST_CASE("what is no checkpoint is refused as its reader does", "[io][stored_weights]") {
    scratch_dir const dir;
    CHECK_THAT(message_of<plateau::file_error>([&] { stored_weights{dir.path()}; }), contains("model.safetensors"));
    CHECK_THAT(message_of<plateau::file_error>([&] { stored_weights{dir / "absent.gguf"}; }), contains("absent.gguf"));
}

}  // namespace
