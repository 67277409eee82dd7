#include <plateau/io/gguf.hpp>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>

#include "support/baked.hpp"
#include "support/catch.hpp"
#include "support/gguf_bytes.hpp"
#include "support/scratch.hpp"

using namespace plateau::io;
using namespace plateau::testing;
using plateau::bfloat16;
using plateau::config_error;
using plateau::file_error;
using plateau::numeric_error;
using plateau::shape_error;

namespace {

std::filesystem::path golden(std::string const& name) {
    return std::filesystem::path(baked::tests) / "golden" / "gguf" / name;
}

std::vector<float> golden_floats(std::string const& name) {
    std::string const bytes = bytes_of(golden(name));
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
}

template <class T>
std::vector<T> read_all(gguf_file const& file, std::string const& name) {
    std::vector<T> values(static_cast<std::size_t>(element_count(file.info(name))));
    file.read(name, std::span<T>(values));
    return values;
}

/// What opening these bytes says.
std::string refusal(std::string const& bytes) {
    scratch_dir const folder;
    auto const path = folder.write("bad.gguf", bytes);
    return message_of<file_error>([&] { gguf_file const file{path}; });
}

}  // namespace

TEST_CASE("every tensor type has the values of the Python package, bit for bit", "[io][gguf]") {
    gguf_file const file{golden("every_type.gguf")};
    auto const expected = golden_floats("every_type.f32");
    CHECK(file.names() == std::vector<std::string>{"bf16", "f16", "f32", "f64", "iq4_nl", "iq4_xs", "q2_k", "q3_k",
                                                   "q4_0", "q4_1", "q4_k", "q5_0", "q5_1", "q5_k", "q6_k", "q8_0"});
    std::size_t at = 0;
    for (auto const& name : file.names()) {
        CAPTURE(name);
        auto const values = read_all<float>(file, name);
        REQUIRE(at + values.size() <= expected.size());
        CHECK(std::memcmp(values.data(), expected.data() + at, values.size() * sizeof(float)) == 0);

        at += values.size();
        auto const wide = read_all<double>(file, name);
        if (name == "f64") {
            CHECK(std::memcmp(wide.data(), file.bytes(name).data(), file.bytes(name).size()) == 0);
            continue;
        }
        auto const narrow = read_all<bfloat16>(file, name);
        bool widened = true, rounded = true;
        for (std::size_t i = 0; i < values.size(); ++i) {
            widened &=
                std::bit_cast<std::uint64_t>(wide[i]) == std::bit_cast<std::uint64_t>(static_cast<double>(values[i]));
            rounded &= narrow[i].bits == bfloat16(values[i]).bits;
        }
        CHECK(widened);
        CHECK(rounded);
    }
    CHECK(at == expected.size());
}

TEST_CASE("doubles are rounded once", "[io][gguf]") {
    scratch_dir const folder;
    // a little more than halfway between two bfloat16; float32 has it halfway
    double const more = 1 + 0x1p-8 + 0x1p-40, less = 1 + 0x3p-8 - 0x1p-40, large = 1e300;
    auto const stored = little_endian(more) + little_endian(less) + little_endian(large);
    gguf_file const file{folder.write("a.gguf", gguf_bytes{}.tensor("w", {1, 3}, 28, stored).bytes())};
    std::vector<bfloat16> narrow(2);
    file.read_rows("w", 0, 2, std::span<bfloat16>(narrow));
    CHECK(static_cast<float>(narrow[0]) == 1 + 0x1p-7f);
    CHECK(static_cast<float>(narrow[1]) == 1 + 0x1p-7f);
    CHECK(read_all<double>(file, "w") == std::vector<double>{more, less, large});
    CHECK_THROWS_AS(read_all<float>(file, "w"), numeric_error);
}

TEST_CASE("any part of a split file opens all parts", "[io][gguf][split]") {
    gguf_file const whole{golden("every_type.gguf")};
    for (std::string const name : {"split-00001-of-00003.gguf", "split-00002-of-00003.gguf"}) {
        gguf_file const parts{golden(name)};
        CHECK(parts.path() == golden(name));
        CHECK(parts.metadata().text("test.string") == "Größe");
        REQUIRE(parts.names() == whole.names());
        for (auto const& tensor : whole.names()) {
            CAPTURE(tensor);
            CHECK(parts.info(tensor).shape == whole.info(tensor).shape);
            CHECK(read_all<double>(parts, tensor) == read_all<double>(whole, tensor));
            auto const left = parts.bytes(tensor), right = whole.bytes(tensor);
            CHECK((left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size()) == 0));
        }
        parts.drop_pages();
    }
}

namespace {

/// A part with one tensor of its own.
gguf_bytes part(std::uint32_t number, std::uint32_t count, std::uint32_t tensors) {
    gguf_bytes bytes;
    bytes.integer("split.no", number).integer("split.count", count).integer("split.tensors.count", tensors);
    return bytes.floats("w" + std::to_string(number), {1}, {1});
}

}  // namespace

TEST_CASE("a split file that is not whole says which part is missing or wrong", "[io][gguf][split][bad-input]") {
    scratch_dir const folder;
    auto const first = folder.write("m-00001-of-00002.gguf", part(0, 2, 2).text("general.architecture", "x").bytes());
    auto const second = folder.path() / "m-00002-of-00002.gguf";
    auto const refusal_of = [&](std::filesystem::path const& path) {
        return message_of<file_error>([&] { gguf_file const file{path}; });
    };
    auto const refusal_with = [&](gguf_bytes const& other) {
        folder.write("m-00002-of-00002.gguf", other.bytes());
        return refusal_of(first);
    };
    CHECK_THAT(refusal_of(first), contains("part 1 of 2") && contains("m-00002-of-00002.gguf is missing beside it") &&
                                      contains("llama-gguf-split --merge"));
    CHECK(refusal_with(part(1, 2, 2)) == "NO EXCEPTION");
    CHECK(refusal_of(second) == "NO EXCEPTION");
    CHECK_THAT(refusal_with(part(0, 2, 2)), contains("not by its split.no"));
    CHECK_THAT(refusal_with(part(1, 3, 2)), contains("not by its split.count"));
    CHECK_THAT(refusal_with(part(1, 2, 3)), contains("not by its split.tensors.count"));
    CHECK_THAT(refusal_with(gguf_bytes{}), contains("not by its split.no"));
    CHECK_THAT(refusal_with(part(1, 2, 2).text("general.architecture", "y")),
               contains("not by its general.architecture"));
    CHECK_THAT(refusal_with(part(1, 2, 2).floats("more", {1}, {1})),
               contains("have 3 tensors, which is not their split.tensors.count"));
    auto twice = part(1, 2, 2);
    twice.floats("w0", {1}, {1});
    CHECK_THAT(refusal_with(twice), contains("\"w0\" is stored twice"));
    folder.write("m-00002-of-00002.gguf", part(1, 2, 2).bytes().substr(0, 40));
    CHECK_THAT(refusal_of(first), contains("m-00002-of-00002.gguf"));

    for (std::string const name : {"m.gguf", "m-00002-of-00002.gguf", "m-00001-of-00003.gguf"})
        CHECK_THAT(refusal_of(folder.write(name, part(0, 2, 2).bytes())),
                   contains("part 1 of 2") && contains("does not end in -00001-of-00002.gguf"));
    // what merging and splitting into one leave behind
    CHECK(refusal_of(folder.write("m.gguf", part(0, 0, 1).bytes())) == "NO EXCEPTION");
    CHECK(refusal_of(folder.write("m.gguf", part(0, 1, 1).bytes())) == "NO EXCEPTION");
    gguf_bytes nameless;
    nameless.integer("split.count", 2);
    CHECK_THAT(refusal_of(folder.write("m.gguf", nameless.bytes())), contains("does not end in"));
    gguf_bytes beyond;
    beyond.integer("split.count", 2).integer("split.no", 2);
    CHECK_THAT(refusal_of(folder.write("m.gguf", beyond.bytes())), contains("does not end in"));
}

TEST_CASE("types that are not supported are named with a way out", "[io][gguf][bad-input]") {
    auto const of = [](std::uint32_t type) {
        return refusal(gguf_bytes{}.raw_tensor("w", {256}, type, 0).bytes() + std::string(2048, '\0'));
    };
    for (auto const& [type, name] : std::vector<std::pair<std::uint32_t, std::string>>{{4, "Q4_2"},
                                                                                       {9, "Q8_1"},
                                                                                       {15, "Q8_K"},
                                                                                       {16, "IQ2_XXS"},
                                                                                       {22, "IQ2_S"},
                                                                                       {24, "I8"},
                                                                                       {29, "IQ1_M"},
                                                                                       {33, "Q4_0_8_8"},
                                                                                       {34, "TQ1_0"},
                                                                                       {38, "IQ4_NL_8_8"},
                                                                                       {39, "MXFP4"},
                                                                                       {41, "Q1_0"},
                                                                                       {42, "Q2_0"}}) {
        CHECK_THAT(of(type), contains("\"w\" is stored as " + name + " (type number " + std::to_string(type)) &&
                                 contains("Q8_0") && contains("--outtype bf16"));
    }
    for (std::uint32_t type : {43u, 99u, 0xFFFFFFFFu})
        CHECK_THAT(of(type), contains("an unknown type (type number " + std::to_string(type)) && contains("Q8_0"));
}

TEST_CASE("shapes are row-major, slowest axis first", "[io][gguf]") {
    gguf_file const file{golden("every_type.gguf")};
    CHECK(file.info("f32").shape == std::vector<plateau::index>{2, 3, 5});
    CHECK(file.info("f32").stored == "F32");
    CHECK(file.info("q4_1").shape == std::vector<plateau::index>{5, 128});
    CHECK(file.info("q6_k").shape == std::vector<plateau::index>{2, 768});
    CHECK(file.info("bf16").shape == std::vector<plateau::index>{11});
    CHECK(file.contains("q6_k"));
    CHECK_FALSE(file.contains("q8_k"));
    CHECK_THROWS_AS(file.info("q8_k"), file_error);
}

TEST_CASE("rows are those of the whole tensor", "[io][gguf]") {
    gguf_file const file{golden("every_type.gguf")};
    for (auto const& name : file.names()) {
        CAPTURE(name);
        auto const whole = read_all<float>(file, name);
        plateau::index const rows = file.info(name).shape[0];
        auto const width = whole.size() / static_cast<std::size_t>(rows);
        for (plateau::index first = 0; first <= rows; ++first) {
            for (plateau::index count = 0; first + count <= rows; ++count) {
                std::vector<float> part(width * static_cast<std::size_t>(count));
                file.read_rows(name, first, count, std::span<float>(part));
                auto const offset = width * static_cast<std::size_t>(first);
                CHECK((part.empty() ||
                       std::memcmp(part.data(), whole.data() + offset, part.size() * sizeof(float)) == 0));
            }
        }
        std::vector<float> out(width);
        CHECK_THROWS_AS(file.read_rows(name, rows, 1, std::span<float>(out)), shape_error);
        CHECK_THROWS_AS(file.read_rows(name, -1, 1, std::span<float>(out)), shape_error);
        CHECK_THROWS_AS(file.read_rows(name, 0, -1, std::span<float>()), shape_error);
        CHECK_THROWS_AS(file.read_rows(name, std::numeric_limits<plateau::index>::max(), 1, std::span<float>(out)),
                        shape_error);
        CHECK_THROWS_AS(file.read(name, std::span<float>(out).first(width - 1)), shape_error);
    }
}

TEST_CASE("a row of a vector may begin within a block", "[io][gguf]") {
    scratch_dir const folder;
    std::string block(34, '\0');
    block[1] = 0x3C;  // scale 1
    for (int i = 0; i < 32; ++i) block[static_cast<std::size_t>(2 + i)] = static_cast<char>(i - 16);
    gguf_file const file{folder.write("a.gguf", gguf_bytes{}.tensor("v", {64}, 8, block + block).bytes())};
    std::vector<float> out(33);
    file.read_rows("v", 5, 33, std::span<float>(out));
    for (int i = 0; i < 33; ++i) CHECK(out[static_cast<std::size_t>(i)] == static_cast<float>((i + 5) % 32 - 16));
}

TEST_CASE("metadata of every type", "[io][gguf]") {
    gguf_file const file{golden("every_type.gguf")};
    auto const& metadata = file.metadata();
    CHECK(metadata.text("general.architecture") == "none");
    CHECK(metadata.integer("test.uint8") == 200);
    CHECK(metadata.integer("test.int8") == -100);
    CHECK(metadata.integer("test.uint16") == 60000);
    CHECK(metadata.integer("test.int16") == -30000);
    CHECK(metadata.integer("test.uint32") == 4000000000);
    CHECK(metadata.integer("test.int32") == -2000000000);
    CHECK(metadata.integer("test.int64") == -(plateau::index{1} << 62));
    CHECK(metadata.number("test.float32") == static_cast<double>(0.1f));
    CHECK(metadata.number("test.float64") == 0.1);
    CHECK(metadata.number("test.int8") == -100.0);
    CHECK(metadata.boolean("test.bool") == true);
    CHECK(metadata.text("test.string") == "Größe");
    CHECK(metadata.texts("test.strings") == std::vector<std::string_view>{"", "a", "ß"});
    CHECK(metadata.integers("test.integers") == std::vector<plateau::index>{1, -2, 3});
    CHECK(metadata.integers("test.bytes") == std::vector<plateau::index>{1, 2, 255});
    CHECK(metadata.numbers("test.floats") == std::vector<double>{0.5, -0.25});
    CHECK(metadata.numbers("test.integers") == std::vector<double>{1, -2, 3});
    CHECK(metadata.contains("test.bool"));
    CHECK(metadata.keys().size() == 17);

    CHECK_FALSE(metadata.integer("test.absent").has_value());
    CHECK(metadata.texts("test.absent").empty());
    CHECK_THROWS_WITH(metadata.integer("test.string"),
                      contains("\"test.string\" must hold an integer, found a value of type string"));
    CHECK_THROWS_AS(metadata.integer("test.uint64"), config_error);
    CHECK_THROWS_AS(metadata.integer("test.float32"), config_error);
    CHECK_THROWS_AS(metadata.integer("test.integers"), config_error);
    CHECK_THROWS_AS(metadata.boolean("test.uint8"), config_error);
    CHECK_THROWS_AS(metadata.text("test.strings"), config_error);
    CHECK_THROWS_AS(metadata.texts("test.string"), config_error);
    CHECK_THROWS_AS(metadata.integers("test.floats"), config_error);
    CHECK_THROWS_AS(metadata.numbers("test.strings"), config_error);
}

TEST_CASE("version 2, another alignment, scalars and no tensors at all", "[io][gguf]") {
    scratch_dir const folder;
    gguf_bytes bytes;
    bytes.version = 2;
    bytes.alignment = GENERATE(1u, 8u, 256u);
    bytes.integer("general.alignment", static_cast<std::uint32_t>(bytes.alignment));
    bytes.floats("a", {}, {2.5f}).floats("b", {3, 2}, {1, 2, 3, 4, 5, 6});
    gguf_file const file{folder.write("a.gguf", bytes.bytes())};
    CHECK(file.info("a").shape.empty());
    CHECK(read_all<float>(file, "a") == std::vector<float>{2.5f});
    CHECK(read_all<double>(file, "b") == std::vector<double>{1, 2, 3, 4, 5, 6});
    CHECK(gguf_file{folder.write("b.gguf", gguf_bytes{}.header())}.names().empty());
}

TEST_CASE("files that are no GGUF, or another version of it", "[io][gguf][bad-input]") {
    CHECK_THAT(message_of<file_error>([] { gguf_file const file{"/nonexistent.gguf"}; }),
               contains("/nonexistent.gguf"));
    CHECK_THAT(refusal(""), contains("no GGUF file"));
    CHECK_THAT(refusal("GGU"), contains("no GGUF file"));
    gguf_bytes bytes;
    bytes.magic = "ggjt";
    CHECK_THAT(refusal(bytes.bytes()), contains("no GGUF file"));
    bytes.magic = "GGUF";
    bytes.version = GENERATE(0x03000000u, 0u, 1u, 4u, 0xFFFFFFFFu);
    CAPTURE(bytes.version);
    CHECK_THAT(refusal(bytes.bytes()), contains(bytes.version % 65536 == 0 ? "big-endian" : "only 2 and 3"));
}

TEST_CASE("a file cut anywhere is refused", "[io][gguf][bad-input]") {
    auto const whole = gguf_bytes{}
                           .text("k", "value")
                           .texts("ks", {"a", "bc"})
                           .integers("n", {1, 2})
                           .floats("t", {3}, {1, 2, 3})
                           .floats("u", {2, 2}, {1, 2, 3, 4})
                           .bytes();
    CHECK(refusal(whole) == "NO EXCEPTION");
    for (std::size_t length = 0; length < whole.size(); ++length) {
        CAPTURE(length);
        CHECK_THAT(refusal(whole.substr(0, length)), contains("bad.gguf"));
    }
}

TEST_CASE("absurd counts and lengths fail at once", "[io][gguf][bad-input]") {
    auto const claim = GENERATE(std::uint64_t{1} << 20, std::uint64_t{1} << 60, ~std::uint64_t{0});
    CAPTURE(claim);
    auto const start = std::chrono::steady_clock::now();
    gguf_bytes bytes;
    bytes.more_pairs = claim;
    CHECK_THAT(refusal(bytes.bytes()), contains("metadata entries"));
    bytes.more_pairs = 0;
    bytes.more_tensors = claim;
    CHECK_THAT(refusal(bytes.bytes()), contains("tensors"));

    auto const length = little_endian(claim);
    CHECK_THAT(refusal(gguf_bytes{}.raw_pair("k", 8, length).bytes()), contains("metadata string"));
    for (std::uint32_t type : {0u, 5u, 8u, 12u}) {
        CHECK_THAT(refusal(gguf_bytes{}.raw_pair("k", 9, little_endian(type) + length).bytes()),
                   contains("metadata array"));
    }
    auto long_key = gguf_bytes{}.integer("k", 1).header();
    std::memcpy(long_key.data() + 24, &claim, sizeof claim);
    CHECK_THAT(refusal(long_key), contains("metadata key"));
    auto long_name = gguf_bytes{}.floats("k", {1}, {1}).header();
    std::memcpy(long_name.data() + 24, &claim, sizeof claim);
    CHECK_THAT(refusal(long_name), contains("name of a tensor"));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("bad metadata", "[io][gguf][bad-input]") {
    CHECK_THAT(refusal(gguf_bytes{}.integer("k", 1).integer("k", 1).bytes()), contains("\"k\" occurs twice"));
    CHECK_THAT(refusal(gguf_bytes{}.integer("", 1).bytes()), contains("key is empty"));
    CHECK_THAT(refusal(gguf_bytes{}.raw_pair("k", 13, little_endian(std::uint64_t{1})).bytes()),
               contains("unknown metadata type 13"));
    CHECK_THAT(refusal(gguf_bytes{}.raw_pair("k", 7, "\2").bytes()), contains("boolean"));
    auto const nested = little_endian(std::uint32_t{9}) + little_endian(std::uint64_t{1});
    std::string deep;
    for (int i = 0; i < 200000; ++i) deep += nested;
    CHECK_THAT(refusal(gguf_bytes{}.raw_pair("k", 9, deep).bytes()), contains("arrays of arrays"));
    for (std::uint32_t alignment : {0u, 3u, 48u}) {
        CHECK_THAT(refusal(gguf_bytes{}.integer("general.alignment", alignment).bytes()), contains("power of two"));
    }
    scratch_dir const folder;
    auto const path = folder.write("a.gguf", gguf_bytes{}.text("general.alignment", "32").bytes());
    CHECK_THROWS_AS(gguf_file{path}, config_error);
}

TEST_CASE("bad tensor tables", "[io][gguf][bad-input]") {
    auto const of = [](std::vector<std::uint64_t> const& extents, std::uint32_t type = 0, std::uint64_t offset = 0) {
        return refusal(gguf_bytes{}.raw_tensor("w", extents, type, offset).bytes() + std::string(256, '\0'));
    };
    CHECK(of({4}) == "NO EXCEPTION");
    CHECK_THAT(of({1, 1, 1, 1, 1}), contains("at most 4"));
    CHECK_THAT(of({4, 0}), contains("no elements"));
    CHECK_THAT(of({std::uint64_t{1} << 40, std::uint64_t{1} << 40}), contains("overflows"));
    CHECK_THAT(of({~std::uint64_t{0}}), contains("overflows"));
    CHECK_THAT(of({65}), contains("past the end"));
    CHECK_THAT(of({std::uint64_t{1} << 59}), contains("past the end"));
    CHECK_THAT(of({4}, 0, 8), contains("aligned"));
    CHECK_THAT(of({4}, 0, 1024), contains("past the end"));
    CHECK_THAT(of({4}, 0, ~std::uint64_t{31}), contains("past the end"));
    CHECK_THAT(of({33}, 8), contains("multiple of the 32 in a block of Q8_0"));
    CHECK_THAT(of({32, 8}, 14), contains("multiple of the 256"));
    CHECK_THAT(of({}, 2), contains("multiple of the 32"));
    CHECK_THAT(refusal(gguf_bytes{}.floats("w", {1}, {1}).floats("w", {1}, {1}).bytes()), contains("twice"));
    std::string const room(256, '\0');
    CHECK_THAT(refusal(gguf_bytes{}.raw_tensor("a", {9}, 0, 0).raw_tensor("b", {1}, 0, 32).bytes() + room),
               contains("overlap"));
    CHECK_THAT(refusal(gguf_bytes{}.raw_tensor("a", {1}, 0, 32).raw_tensor("b", {1}, 0, 32).bytes() + room),
               contains("overlap"));
}

TEST_CASE("values that are not finite name the tensor", "[io][gguf][bad-input]") {
    scratch_dir const folder;
    float const bad = GENERATE(std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN());
    std::vector<float> values(1500, 1.0f);
    values[1234] = bad;
    gguf_file const file{folder.write("a.gguf", gguf_bytes{}.floats("w", {500, 3}, values).bytes())};
    std::vector<float> out(1500);
    CHECK_THAT(message_of<numeric_error>([&] { file.read("w", std::span<float>(out)); }),
               contains("\"w\"") && contains("flat index 1234"));
    CHECK_NOTHROW(file.read_rows("w", 0, 2, std::span<float>(out).first(1000)));

    std::string infinite(34, '\1');
    infinite[0] = 0;
    infinite[1] = 0x7C;
    gguf_file const scales{folder.write("b.gguf", gguf_bytes{}.tensor("q", {32}, 8, infinite).bytes())};
    CHECK_THROWS_AS(read_all<float>(scales, "q"), numeric_error);
    gguf_file const wide{
        folder.write("c.gguf", gguf_bytes{}.floats("f", {1}, {std::numeric_limits<float>::max()}).bytes())};
    CHECK(read_all<float>(wide, "f")[0] == std::numeric_limits<float>::max());
    CHECK_THROWS_AS(read_all<bfloat16>(wide, "f"), numeric_error);
}
