#include <plateau/program/weights_hash.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::testing;
using nlohmann::json;
using plateau::program::sha256;
using plateau::program::weights_sha256;
namespace fs = std::filesystem;

fs::path const golden = fs::path(baked::tests) / "golden";

/// What hashlib makes of a file or folder of tests/golden: see make_weights_hashes.py there.
std::string by_hashlib(std::string const& name) {
    return json::parse(bytes_of(golden / "weights_sha256.json")).at(name).get<std::string>();
}

std::string hash_of_text(std::string const& text) {
    sha256 all;
    all.add(std::as_bytes(std::span{text}));
    return all.hex();
}

std::string safetensors(std::string const& header, std::string const& data) {
    std::uint64_t const length = header.size();
    std::string prefix(sizeof length, '\0');
    std::memcpy(prefix.data(), &length, sizeof length);
    return prefix + header + data;
}

/// The tensors of a safetensors file, to be written again, in any number of files.
struct tensors_of {
    explicit tensors_of(fs::path const& file) : bytes{bytes_of(file)} {
        std::uint64_t length = 0;
        std::memcpy(&length, bytes.data(), sizeof length);
        header = json::parse(bytes.substr(sizeof length, length));
        header.erase("__metadata__");
        bytes.erase(0, sizeof length + length);
    }

    /// A file of those that are wanted, the last one's bytes first.
    std::string file_of(std::function<bool(std::string const&)> const& wanted) const {
        json part = json::object();
        std::string data;
        for (auto one = header.rbegin(); one != header.rend(); ++one) {
            if (!wanted(one.key())) continue;
            std::size_t const begin = one.value()["data_offsets"][0], end = one.value()["data_offsets"][1];
            part[one.key()] = one.value();
            part[one.key()]["data_offsets"] = {data.size(), data.size() + end - begin};
            data += bytes.substr(begin, end - begin);
        }
        return safetensors(part.dump(), data);
    }

    json header;
    std::string bytes;
};

TEST_CASE("SHA-256 has the published values", "[program][weights_hash]") {
    CHECK(hash_of_text("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hash_of_text("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256 in_parts;  // FIPS 180-2, B.3: a million times "a"
    std::string const part(1000, 'a');
    for (int i = 0; i < 1000; ++i) in_parts.add(std::as_bytes(std::span{part}));
    CHECK(in_parts.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("the weights of every committed model have the hash that hashlib gives", "[program][weights_hash]") {
    std::set<std::string> all;
    for (auto const* folder : {"models", "gguf", "gguf/architectures"}) {
        for (auto const& entry : fs::directory_iterator(golden / folder)) {
            bool const file = entry.path().extension() == ".gguf", in_models = std::string_view{folder} == "models";
            if (file == in_models) continue;  // goldens beside the files
            auto const name = std::string(folder) + "/" + entry.path().filename().string();
            CAPTURE(name);
            auto const hash = weights_sha256(entry.path(), 1);
            CHECK(hash == by_hashlib(name));
            CHECK(weights_sha256(entry.path(), 3) == hash);
            all.insert(hash);
        }
    }
    CHECK(all.size() > 25);
}

TEST_CASE("the same tensors have the same hash in any order and any number of files", "[program][weights_hash]") {
    scratch_dir const dir;
    tensors_of const all{golden / "models/llama_gqa/model.safetensors"};
    dir.write("one/model.safetensors", all.file_of([](auto&) { return true; }));
    auto const in_first = [](std::string const& name) { return name.find("mlp") == std::string::npos; };
    dir.write("two/first.safetensors", all.file_of(in_first));
    dir.write("two/second.safetensors", all.file_of(std::not_fn(in_first)));
    json index{{"weight_map", json::object()}};
    for (auto const& [name, told] : all.header.items())
        index["weight_map"][name] = in_first(name) ? "first.safetensors" : "second.safetensors";
    dir.write("two/model.safetensors.index.json", index.dump());
    CHECK(weights_sha256(dir / "one", 2) == by_hashlib("models/llama_gqa"));
    CHECK(weights_sha256(dir / "two", 2) == by_hashlib("models/llama_gqa"));
}

TEST_CASE("a scalar has no extents, and names sort as bytes", "[program][weights_hash]") {
    scratch_dir const dir;
    std::string data;
    for (char byte = 0; byte < 12; ++byte) data += byte;
    std::string const header =
        R"({"é":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"z":{"dtype":"I64","shape":[],"data_offsets":[4,12]},)"
        R"("Z":{"dtype":"F16","shape":[0,3],"data_offsets":[12,12]}})";
    dir.write("model.safetensors", safetensors(header, data));
    CHECK(weights_sha256(dir.path(), 2) == by_hashlib("odd_file"));
    CHECK(by_hashlib("odd_file") ==
          hash_of_text("Z F16 0x3 " + hash_of_text("") + "\nz I64  " + hash_of_text(data.substr(4)) + "\né F32 1 " +
                       hash_of_text(data.substr(0, 4)) + "\n"));
}

TEST_CASE("one bit, one name or one type more or less is another hash", "[program][weights_hash]") {
    scratch_dir const dir;
    std::set<std::string> all;
    auto const add = [&](std::string const& header, std::string const& data) {
        dir.write("model.safetensors", safetensors(header, data));
        all.insert(weights_sha256(dir.path(), 1));
    };
    auto const one = [](std::string const& name, std::string const& type, std::string const& shape) {
        return "{\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape + ",\"data_offsets\":[0,8]}}";
    };
    add(one("a", "F32", "[2]"), std::string(8, 'x'));
    add(one("a", "F32", "[2]"), std::string(7, 'x') + 'y');
    add(one("b", "F32", "[2]"), std::string(8, 'x'));
    add(one("a", "I32", "[2]"), std::string(8, 'x'));
    add(one("a", "F32", "[2,1]"), std::string(8, 'x'));
    CHECK(all.size() == 5);
}

TEST_CASE("a tensor of more than one piece is hashed as a whole", "[program][weights_hash]") {
    scratch_dir const dir;
    std::string data((std::size_t{5} << 19) + 12, '\0');  // two pieces and a half, at an odd place of a page
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * i >> 3);
    auto const extent = std::to_string(data.size());
    dir.write(
        "model.safetensors",
        safetensors(R"({"a":{"dtype":"U8","shape":[)" + extent + R"(],"data_offsets":[0,)" + extent + "]}}", data));
    CHECK(weights_sha256(dir.path(), 2) == hash_of_text("a U8 " + extent + " " + hash_of_text(data) + "\n"));
}

TEST_CASE("what holds no weights is an error of the reader", "[program][weights_hash]") {
    scratch_dir const dir;
    CHECK_THAT(message_of<plateau::file_error>([&] { weights_sha256(dir.path(), 1); }), contains("model.safetensors"));
    CHECK_THAT(message_of<plateau::file_error>([&] { weights_sha256(dir / "absent", 1); }), contains("absent"));
}

}  // namespace
