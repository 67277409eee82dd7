#include <plateau/io/torch_tensors.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/stored_weights.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using namespace plateau::io;
using plateau::file_error;
namespace fs = std::filesystem;

/// Made by golden/make_torch_files.py.
fs::path const golden = fs::path(baked::tests) / "golden/torch";

std::string bytes_in(safetensors_checkpoint const& file, std::string const& name) {
    auto const bytes = file.bytes(name);
    return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

TEST_CASE("torch.save's tensors are those of the same file in safetensors", "[io][torch]") {
    safetensors_checkpoint const expected{golden / "tensors.safetensors"};
    for (auto const* name : {"protocol_2.bin", "protocol_3.bin", "protocol_4.bin", "protocol_5.bin"}) {
        CAPTURE(name);
        safetensors_checkpoint const file{golden / name};
        REQUIRE(file.names() == expected.names());
        CHECK(file.names().size() == 21);
        for (auto const& tensor : file.names()) {
            CAPTURE(tensor);
            CHECK(file.info(tensor).stored == expected.info(tensor).stored);
            CHECK(file.info(tensor).shape == expected.info(tensor).shape);
            CHECK(bytes_in(file, tensor) == bytes_in(expected, tensor));
        }
        CHECK(file.is_mapped("f32"));
        CHECK(file.is_mapped("row"));
        CHECK_FALSE(file.is_mapped("columns"));
        std::vector<float> rows(6), all(12);
        file.read_rows("columns", 1, 2, std::span{rows});
        expected.read("columns", std::span{all});
        CHECK(std::equal(rows.begin(), rows.end(), all.begin() + 3));
        std::vector<double> half(3);
        file.read("bf16", std::span{half});
        expected.read("bf16", std::span{all}.first(3));
        CHECK(std::equal(half.begin(), half.end(), all.begin()));
    }
}

TEST_CASE("pytorch_model.bin stands for the weights where there is no safetensors file", "[io][torch]") {
    scratch_dir const dir;
    auto const whole = bytes_of(golden / "protocol_2.bin"), one = bytes_of(golden / "one.bin");
    dir.write("single/pytorch_model.bin", whole);
    dir.write("shards/pytorch_model-00001-of-00002.bin", whole);
    dir.write("shards/pytorch_model-00002-of-00002.bin", one);
    std::string map;
    for (auto const& name : safetensors_checkpoint{golden / "tensors.safetensors"}.names())
        map += "\"" + name + "\": \"pytorch_model-00001-of-00002.bin\", ";
    dir.write("shards/pytorch_model.bin.index.json",
              "{\"weight_map\": {" + map + "\"x\": \"pytorch_model-00002-of-00002.bin\"}}");
    dir.write("plain/model.safetensors", bytes_of(golden / "tensors.safetensors"));
    CHECK(safetensors_checkpoint{dir / "shards"}.names().size() == 22);
    stored_weights const single{dir / "single"}, plain{dir / "plain"};
    REQUIRE(single.tensors().size() == plain.tensors().size());
    for (std::size_t i = 0; i < plain.tensors().size(); ++i) {
        CHECK(single.tensors()[i].spelling == plain.tensors()[i].spelling);
        CHECK(std::ranges::equal(single.tensors()[i].bytes, plain.tensors()[i].bytes));
        CHECK(plain.tensors()[i].mapped);
    }
    dir.write("single/model.safetensors", bytes_of(golden / "tensors.safetensors"));
    dir.write("single/pytorch_model.bin", "damaged");
    CHECK(safetensors_checkpoint{dir / "single"}.names().size() == 21);  // safetensors comes first
}

TEST_CASE("a pickle that is more than plain tensors is refused by name, and nothing of it runs", "[io][torch]") {
    for (auto const& [name, says] : std::vector<std::pair<std::string, std::string>>{
             {"call", "__builtin__.print"},
             {"call_4", "builtins.print"},
             {"object", "__main__.object_with_state"},
             {"storage", "torch.QInt8Storage"},
             {"older", "weights_only=True"},
             {"big_endian", "big-endian"},
             {"compressed", "compressed"},
             {"list", "no dictionary of tensors"},
             {"number", "\"x\" is no tensor"},
             {"nested", "\"state_dict\" is no tensor; save the state_dict alone"},
             {"training", "\"epoch\" is no tensor; save the state_dict alone with\n  python3"},
             {"numbered", "numbers for keys"},
             {"beyond", "beyond its storage"},
             {"beyond_stride", "beyond its storage"},
             {"beyond_offset", "beyond its storage"},
             {"negative", "beyond its storage"},
             {"offset", "beyond its storage"},
             {"negated", "\"x\" is stored with a negation"},
             {"ranks", "damaged"},
             {"huge", "storage"},
             {"bomb", "storage"},
             {"overflow", "storage"},
             {"text", "instruction 73"},
             {"endless", "cut or damaged"}}) {
        CAPTURE(name);
        auto const file = "refused_" + name + ".bin";
        CHECK_THAT(message_of<file_error>([&] { safetensors_checkpoint{golden / file}; }),
                   contains(file) && contains(says));
    }
    CHECK_THAT(message_of<file_error>([&] { safetensors_checkpoint{golden / "absent.bin"}; }), contains("absent.bin"));
}

TEST_CASE("what is in a file decides, not its name", "[io][torch]") {
    scratch_dir const dir;
    dir.write("m/pytorch_model.bin", bytes_of(golden / "tensors.safetensors"));
    CHECK(safetensors_checkpoint{dir / "m"}.names().size() == 21);
    for (auto const* name : {"a/model.safetensors", "b/pytorch_model.bin", "c/model.safetensors.index.json"}) {
        auto const folder = dir.write(name, "<!DOCTYPE html><html>Entry not found</html>").parent_path();
        CHECK_THAT(message_of<file_error>([&] { safetensors_checkpoint{folder}; }), contains("HTML page"));
    }
}

TEST_CASE("no damage of a file of torch.save is more than an error", "[io][torch]") {
    std::mt19937 random{5};
    for (auto const* name : {"protocol_2.bin", "protocol_4.bin", "one.bin"}) {
        auto const whole = bytes_of(golden / name);
        auto const first = whole.find("data.pkl"), last = whole.rfind("data.pkl");
        int read = 0, refused = 0;
        auto const attempt = [&](std::string const& text) {
            std::vector<std::byte> bytes(text.size());  // of its own size, for the address sanitizer
            if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
            try {
                auto const found = read_torch_tensors(bytes, "x");
                for (auto const& one : found.tensors.all())
                    CHECK(one.begin + one.size <= bytes.size() + found.gathered.size());
                ++read;
            } catch (file_error const&) {
                ++refused;
            }
        };
        for (std::size_t size = 0; size < whole.size(); size += 7) attempt(whole.substr(0, size));
        CHECK(read == 0);
        for (int i = 0; i < 3000; ++i) {
            auto text = whole;
            for (unsigned k = 1 + random() % 3; k-- > 0;)
                text[i % 4 == 0 ? random() % text.size() : first + random() % (last - first)] =
                    i % 3 == 0 ? "(.tRh}uqQ0"[random() % 10] : static_cast<char>(random());
            attempt(text);
        }
        CHECK(read > 10);
        CHECK(refused > 300);
    }
}

}  // namespace
