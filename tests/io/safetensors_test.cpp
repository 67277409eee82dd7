#include <plateau/io/safetensors.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

namespace fs = std::filesystem;
using namespace plateau::testing;
using namespace plateau::io;
using plateau::bfloat16;
using plateau::file_error;
using plateau::numeric_error;
using plateau::shape_error;

namespace {

/// A safetensors file as bytes, whatever the header says.
std::string container(std::string_view header, std::string_view data = {}) {
    std::uint64_t const length = header.size();
    std::string bytes(8, '\0');
    std::memcpy(bytes.data(), &length, 8);
    return bytes.append(header).append(data);
}

template <class T>
std::string raw(std::vector<T> const& values) {
    return {reinterpret_cast<char const*>(values.data()), values.size() * sizeof(T)};
}

/// A header entry.
std::string entry(std::string const& name, std::string const& dtype, std::string const& shape, std::size_t begin,
                  std::size_t end) {
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":[" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
}

std::string complaint(std::string const& bytes) {
    return message_of<file_error>([&] { parse_safetensors_header(std::as_bytes(std::span(bytes)), "w.safetensors"); });
}

std::string complaint_about(std::string const& entries, std::size_t data_bytes) {
    return complaint(container("{" + entries + "}", std::string(data_bytes, '\0')));
}

template <class T, class File>
std::vector<T> all_of(File const& file, std::string const& name) {
    std::vector<T> out(static_cast<std::size_t>(element_count(file.info(name))));
    file.read(name, std::span<T>(out));
    return out;
}

}  // namespace

TEST_CASE("every float type is read at any alignment", "[io][safetensors]") {
    scratch_dir const dir;
    std::vector<double> const f64{0.1, -2.5, 1e-40};
    std::vector<float> const f32{0.1f, -2.5f, 1e-40f, 3.0f};
    std::vector<std::uint16_t> const f16{0x3C00, 0xC100, 0x0001}, bf16{0x3F80, 0xC020, 0x0001};
    // One byte first, so that everything after it is unaligned.
    std::string const header = "{\"__metadata__\":{\"format\":\"pt\"}," + entry("flag", "BOOL", "[]", 0, 1) + "," +
                               entry("d", "F64", "[3]", 1, 25) + "," + entry("f", "F32", "[2,2]", 25, 41) + "," +
                               entry("h", "F16", "[3,1]", 41, 47) + "," + entry("b", "BF16", "[1,3]", 47, 53) + "," +
                               entry("none", "F32", "[0,5]", 53, 53) + "}";
    auto const path = dir.write("w.safetensors", container(header, "\1" + raw(f64) + raw(f32) + raw(f16) + raw(bf16)));
    safetensors_file const file{path};
    CHECK(file.names() == std::vector<std::string>{"b", "d", "f", "flag", "h", "none"});
    CHECK(file.header().metadata == std::vector<std::pair<std::string, std::string>>{{"format", "pt"}});
    CHECK(file.contains("d"));
    CHECK_FALSE(file.contains("__metadata__"));
    CHECK(file.info("f").stored == "F32");
    CHECK(file.info("f").shape == std::vector<plateau::index>{2, 2});
    CHECK(file.info("flag").shape.empty());

    CHECK(all_of<double>(file, "d") == f64);
    CHECK(all_of<float>(file, "d") == std::vector<float>{0.1f, -2.5f, 1e-40f});
    CHECK(all_of<float>(file, "f") == f32);
    CHECK(all_of<double>(file, "f") == std::vector<double>(f32.begin(), f32.end()));
    CHECK(all_of<float>(file, "h") == std::vector<float>{1.0f, -2.5f, 0x1p-24f});
    CHECK(all_of<double>(file, "b") == std::vector<double>{1.0, -2.5, 0x1p-133});
    CHECK(all_of<bfloat16>(file, "b")[1].bits == 0xC020);
    CHECK(all_of<bfloat16>(file, "f")[0].bits == bfloat16(0.1f).bits);
    CHECK(all_of<float>(file, "none").empty());

    std::vector<float> row(2);
    file.read_rows("f", 1, 1, std::span(row));
    CHECK(row == std::vector<float>{1e-40f, 3.0f});
    file.read_rows("none", 0, 0, std::span<float>{});
    CHECK_THROWS_AS(file.read_rows("f", 1, 2, std::span(row)), shape_error);
    CHECK_THROWS_AS(file.read_rows("f", -1, 1, std::span(row)), shape_error);
    CHECK_THROWS_AS(file.read_rows("f", 0, std::numeric_limits<plateau::index>::max(), std::span(row)), shape_error);
    CHECK_THROWS_AS(file.read_rows("f", 0, 2, std::span(row)), shape_error);
    CHECK_THROWS_AS(file.read_rows("flag", 0, 0, std::span<float>{}), shape_error);

    CHECK_THAT(message_of<shape_error>([&] { file.read("f", std::span(row)); }), contains("\"f\" of shape [2, 2]"));
    CHECK_THAT(message_of<file_error>([&] { file.read("flag", std::span(row).first(1)); }), contains("stored as BOOL"));
    CHECK_THAT(message_of<file_error>([&] { file.info("absent"); }), contains("no tensor \"absent\""));
}

TEST_CASE("weights that are not finite are refused with their place", "[io][safetensors]") {
    scratch_dir const dir;
    std::vector<float> values(12, 1.0f);
    values[7] = std::numeric_limits<float>::quiet_NaN();
    auto const path = dir.write("w.safetensors", container("{" + entry("a.weight", "F32", "[3,4]", 0, 48) + "," +
                                                               entry("big", "F64", "[1]", 48, 56) + "}",
                                                           raw(values) + raw(std::vector<double>{1e300})));
    safetensors_file const file{path};
    CHECK_THAT(message_of<numeric_error>([&] { all_of<float>(file, "a.weight"); }),
               contains("a.weight") && contains("flat index 7 ") && contains("not finite"));
    std::vector<double> rows(8);
    CHECK_THAT(message_of<numeric_error>([&] { file.read_rows("a.weight", 1, 2, std::span(rows)); }),
               contains("flat index 7 "));
    file.read_rows("a.weight", 2, 1, std::span(rows).first(4));
    CHECK(rows[3] == 1.0);
    CHECK(all_of<double>(file, "big")[0] == 1e300);
    CHECK_THAT(message_of<numeric_error>([&] { all_of<float>(file, "big"); }), contains("fp32") && contains("--dtype"));
}

TEST_CASE("a file without tensors, and blanks around the header, are fine", "[io][safetensors]") {
    CHECK(complaint(container("{}")) == "NO EXCEPTION");
    CHECK(complaint(container("{}   \n")) == "NO EXCEPTION");
    CHECK(complaint(container(" \t{" + entry("t", "I32", "[2,2]", 0, 16) + "} ", std::string(16, '\0'))) ==
          "NO EXCEPTION");
    CHECK(complaint_about(entry("t", "I32", "[]", 0, 4), 4) == "NO EXCEPTION");
    CHECK(complaint_about(entry("t", "I32", "[2,0]", 0, 0), 0) == "NO EXCEPTION");
    CHECK(complaint_about(entry("t", "F4", "[2,3]", 0, 3), 3) == "NO EXCEPTION");
}

TEST_CASE("a cut or foreign file is refused", "[io][safetensors]") {
    CHECK_THAT(complaint(""), contains("0 bytes are too few"));
    CHECK_THAT(complaint("1234567"), contains("7 bytes are too few"));
    CHECK_THAT(complaint(std::string("\x3C\0\0\0\0\0\0\0", 8)), contains("ends within its header"));
    CHECK_THAT(complaint(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8)), contains("100 MB"));
    CHECK_THAT(complaint(std::string("\x01\xE1\xF5\x05\0\0\0\0{}", 10)), contains("100 MB"));
    CHECK_THAT(complaint(std::string("\0\0\0\0\0\0\0\0", 8)), contains("not usable JSON"));
    auto const whole = container("{" + entry("t", "F32", "[8]", 0, 32) + "}", std::string(32, '\0'));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_THAT(complaint(whole.substr(0, size)), contains("w.safetensors"));
    }
}

TEST_CASE("a header that is no proper JSON object is refused", "[io][safetensors]") {
    CHECK_THAT(complaint(container("PLATEAU")), contains("not usable JSON"));
    CHECK_THAT(complaint(container("[]")), contains("must be an object"));
    CHECK_THAT(complaint(container("\xFF")), contains("not usable JSON"));
    CHECK_THAT(complaint(container("{\"\xFF\": 1}")), contains("UTF-8"));
    CHECK_THAT(complaint(container("{\"a\":" + std::string(200'000, '['))), contains("nested deeper"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[1]", 0, 4) + "," + entry("t", "F32", "[1]", 4, 8), 8),
               contains("\"t\" occurs twice"));
    CHECK_THAT(complaint_about("\"__metadata__\":[]", 0), contains("__metadata__"));
    CHECK_THAT(complaint_about("\"__metadata__\":{\"a\":1}", 0), contains("must hold strings"));
    CHECK_THAT(complaint_about("\"t\":7", 0), contains("\"t\" must be an object"));
    CHECK_THAT(complaint_about("\"t\":{\"shape\":[],\"data_offsets\":[0,0]}", 0), contains("\"dtype\" is missing"));
    CHECK_THAT(complaint_about("\"t\":{\"dtype\":\"F32\",\"data_offsets\":[0,0]}", 0), contains("\"shape\""));
    CHECK_THAT(complaint_about("\"t\":{\"dtype\":\"F32\",\"shape\":[]}", 0), contains("\"data_offsets\""));
    CHECK_THAT(complaint_about("\"t\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4,4]}", 4),
               contains("two integers"));
    CHECK_THAT(complaint_about("\"t\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[-4,0]}", 4),
               contains("two integers"));
    CHECK_THAT(complaint_about("\"t\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0.0,4.0]}", 4),
               contains("two integers"));
    CHECK_THAT(complaint_about("\"t\":{\"dtype\":32,\"shape\":[],\"data_offsets\":[0,4]}", 4),
               contains("must be a string"));
    CHECK_THAT(complaint_about(entry("t", "F31", "[]", 0, 4), 4), contains("unknown dtype \"F31\""));
}

TEST_CASE("shapes that cannot be are refused", "[io][safetensors]") {
    CHECK_THAT(complaint_about(entry("t", "F32", "[-1]", 0, 4), 4), contains("not negative"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[1.0]", 0, 4), 4), contains("not negative"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[\"1\"]", 0, 4), 4), contains("the string \"1\""));
    CHECK_THAT(complaint_about(entry("t", "F32", "4", 0, 4), 4), contains("array of extents"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[18446744073709551615]", 0, 4), 4), contains("not negative"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[9223372036854775807]", 0, 4), 4), contains("overflows"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[4294967296,4294967296]", 0, 4), 4), contains("overflows"));
    CHECK_THAT(complaint_about(entry("t", "F64", "[2305843009213693951,4]", 0, 4), 4), contains("overflows"));
    CHECK_THAT(complaint_about(entry("t", "F32", "[2]", 0, 4), 4), contains("needs 8 bytes, data_offsets give 4"));
    CHECK_THAT(complaint_about(entry("t", "F4", "[3]", 0, 1), 1), contains("whole bytes"));
}

TEST_CASE("tensors must tile the data", "[io][safetensors]") {
    CHECK_THAT(complaint_about(entry("a", "F32", "[2]", 0, 8) + "," + entry("b", "F32", "[2]", 4, 12), 12),
               contains("\"b\" overlaps with \"a\""));
    CHECK_THAT(complaint_about(entry("a", "F32", "[2]", 0, 8) + "," + entry("b", "F32", "[2]", 0, 8), 8),
               contains("overlaps"));
    CHECK_THAT(complaint_about(entry("a", "F32", "[1]", 0, 4) + "," + entry("b", "F32", "[1]", 8, 12), 12),
               contains("\"b\" leaves a hole after \"a\""));
    CHECK_THAT(complaint_about(entry("a", "F32", "[1]", 4, 8), 8), contains("leaves a hole after the header"));
    CHECK_THAT(complaint_about(entry("a", "F32", "[1]", 4, 0), 8), contains("reversed"));
    CHECK_THAT(complaint_about(entry("a", "F32", "[2]", 0, 8), 4), contains("end at 8 of 4"));
    CHECK_THAT(complaint_about(entry("a", "F32", "[0]", 18446744073709551615u, 18446744073709551615u), 4),
               contains("end at"));
    CHECK_THAT(complaint_about(entry("a", "F32", "[1]", 0, 4), 9), contains("5 bytes after the last tensor"));
    CHECK_THAT(complaint(container("{}", "x")), contains("1 bytes after the last tensor"));
}

TEST_CASE("no damage of a byte crashes the reader", "[io][safetensors]") {
    std::string const whole = container("{\"__metadata__\":{\"format\":\"pt\"}," + entry("a", "F32", "[2,3]", 0, 24) +
                                            "," + entry("b", "BF16", "[5]", 24, 34) + "}",
                                        std::string(34, '\0'));
    std::mt19937 random{1};
    for (int i = 0; i < 5000; ++i) {
        std::string damaged = whole;
        for (unsigned flips = 1 + random() % 3; flips-- > 0;) {
            damaged[random() % (whole.size() - 34)] =
                random() % 2 ? static_cast<char>(random()) : "0123456789[]{},:\"-"[random() % 18];
        }
        CHECK_FALSE(complaint(damaged).starts_with("ANOTHER"));
    }
}

namespace {

std::string one_tensor(std::string const& name, float value) {
    return container("{" + entry(name, "F32", "[1]", 0, 4) + "}", raw(std::vector<float>{value}));
}

std::string opening(fs::path const& path) {
    return message_of<file_error>([&] { safetensors_checkpoint{path}; });
}

}  // namespace

TEST_CASE("a checkpoint is a file, a directory, or shards", "[io][safetensors]") {
    scratch_dir const dir;
    dir.write("single/model.safetensors", one_tensor("w", 1));
    dir.write("shards/one.safetensors", one_tensor("a", 1));
    dir.write("shards/sub/two.safetensors", one_tensor("b", 2));
    dir.write("shards/model.safetensors.index.json",
              R"({"metadata": {"total_size": 8}, "weight_map": {"a": "one.safetensors", "b": "sub/two.safetensors"}})");
    for (auto const& path : {dir / "single", dir / "single" / "model.safetensors"}) {
        safetensors_checkpoint const checkpoint{path};
        CHECK(checkpoint.names() == std::vector<std::string>{"w"});
        CHECK(all_of<float>(checkpoint, "w")[0] == 1.0f);
        CHECK_THAT(message_of<file_error>([&] { checkpoint.info("lm_head.weight"); }),
                   contains("no tensor \"lm_head.weight\""));
    }
    for (auto const& path : {dir / "shards", dir / "shards" / "model.safetensors.index.json"}) {
        safetensors_checkpoint const checkpoint{path};
        CHECK(checkpoint.names() == std::vector<std::string>{"a", "b"});
        CHECK(checkpoint.contains("b"));
        CHECK_FALSE(checkpoint.contains("c"));
        CHECK(all_of<double>(checkpoint, "b")[0] == 2.0);
        std::vector<float> out(1);
        checkpoint.read_rows("a", 0, 1, std::span(out));
        CHECK(out[0] == 1.0f);
    }
}

TEST_CASE("snapshot folders of the Hugging Face cache work", "[io][safetensors]") {
    scratch_dir const dir;
    dir.write("blobs/0123abcd", one_tensor("a", 5));
    dir.write("blobs/4567", R"({"weight_map": {"a": "model-00001-of-00001.safetensors"}})");
    fs::create_directories(dir / "snapshots" / "rev");
    fs::create_symlink("../../blobs/0123abcd", dir / "snapshots" / "rev" / "model-00001-of-00001.safetensors");
    fs::create_symlink("../../blobs/4567", dir / "snapshots" / "rev" / "model.safetensors.index.json");
    CHECK(all_of<float>(safetensors_checkpoint{dir / "snapshots" / "rev"}, "a")[0] == 5.0f);
}

TEST_CASE("a broken set of shards is refused", "[io][safetensors]") {
    scratch_dir const dir;
    dir.write("outside.safetensors", one_tensor("a", 1));
    dir.write("d/one.safetensors", one_tensor("a", 1));
    dir.write("d/same.safetensors", one_tensor("a", 1));
    dir.write("d/two.safetensors", one_tensor("b", 1));
    auto const with = [&](std::string const& index) {
        dir.write("d/model.safetensors.index.json", index);
        return opening(dir / "d");
    };
    CHECK(with(R"({"weight_map": {"a": "one.safetensors"}})") == "NO EXCEPTION");
    CHECK_THAT(with(R"({"weight_map": {"a": "three.safetensors"}})"), contains("three.safetensors is missing"));
    CHECK_THAT(with(R"({"weight_map": {"a": "two.safetensors"}})"),
               contains("\"a\" is not in its shard \"two.safetensors\""));
    CHECK_THAT(with(R"({"weight_map": {"a": "../outside.safetensors"}})"), contains("outside the directory"));
    CHECK_THAT(with(R"({"weight_map": {"a": "x/../../outside.safetensors"}})"), contains("outside the directory"));
    CHECK_THAT(with("{\"weight_map\": {\"a\": \"" + (dir / "outside.safetensors").string() + "\"}}"),
               contains("outside the directory"));
    CHECK_THAT(with(R"({"weight_map": {"a": ""}})"), contains("outside the directory"));
    CHECK_THAT(with(R"({"weight_map": {"a": "one.safetensors\u0000"}})"), contains("outside the directory"));
    CHECK_THAT(with(R"({"weight_map": {"a": "one.safetensors", "b": "two.safetensors", "c": "same.safetensors"}})"),
               contains("\"a\" is stored in one.safetensors and in same.safetensors"));
    CHECK_THAT(with(R"({"weight_map": {"a": 1}})"), contains("must be a string"));
    CHECK_THAT(with(R"({"weight_map": []})"), contains("must be an object"));
    CHECK_THAT(with(R"({})"), contains("\"weight_map\" is missing"));
    CHECK_THAT(with(R"([])"), contains("must be an object"));
    CHECK_THAT(with("{"), contains("not usable JSON"));
    CHECK_THAT(with(""), contains("not usable JSON"));
}

TEST_CASE("a folder without safetensors says what to do", "[io][safetensors]") {
    scratch_dir const dir;
    CHECK_THAT(opening(dir.path()), contains("neither model.safetensors nor"));
    CHECK_THAT(opening(dir / "absent"), contains("absent") && contains("No such file"));
    dir.write("tf_model.h5", "weights of TensorFlow");
    CHECK_THAT(opening(dir.path()), contains("tf_model.h5") && contains("python3 -c") && contains("save_pretrained"));
    dir.write("pytorch_model.bin", "pickle");
    CHECK_THAT(opening(dir.path()), contains("pytorch_model.bin") && contains("not a whole zip"));
    dir.write("empty.safetensors", "");
    CHECK_THAT(opening(dir / "empty.safetensors"), contains("0 bytes are too few"));
    fs::create_directory(dir / "folder.safetensors");
    CHECK_THAT(opening(dir / "folder.safetensors"), contains("neither"));
}
