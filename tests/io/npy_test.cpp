#include <plateau/io/npy.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace plateau::testing;
using namespace plateau::io;
using plateau::file_error;
using plateau::float16;
using plateau::shape_error;
using extents = std::vector<plateau::index>;

namespace {

/// An NPY file with a header of the caller's making.
std::string with_header(std::string header, std::string const& data, int version = 1) {
    header += '\n';
    std::string bytes = "\x93NUMPY";
    bytes += static_cast<char>(version);
    bytes += '\0';
    for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(header.size() >> 8 * i & 0xFF);
    return bytes + header + data;
}

npy_array parse(std::string const& bytes) { return parse_npy(std::as_bytes(std::span(bytes)), "x.npy"); }

std::string complaint(std::string const& bytes) {
    return message_of<file_error>([&] { parse(bytes); });
}

std::string with_dict(std::string const& dict, std::size_t data_bytes = 0) {
    return complaint(with_header(dict, std::string(data_bytes, '\0')));
}

template <class T>
std::string written(std::vector<T> const& values, extents const& shape) {
    std::ostringstream stream;
    write_npy(stream, std::span<T const>(values), std::span<plateau::index const>(shape));
    return stream.str();
}

}  // namespace

TEST_CASE("arrays are written byte for byte as NumPy writes them", "[io][npy]") {
    // numpy.save(f, numpy.array([[1, 2, 3], [4, 5, 6]], dtype="<i2")), NumPy 2.4
    std::string const expected = std::string("\x93NUMPY\x01\x00v\x00", 10) +
                                 "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }                          "
                                 "                                \n" +
                                 std::string("\1\0\2\0\3\0\4\0\5\0\6\0", 12);
    CHECK(written<std::int16_t>({1, 2, 3, 4, 5, 6}, {2, 3}) == expected);
    // numpy.save(f, numpy.array(2.5))
    CHECK(written<double>({2.5}, {}) == std::string("\x93NUMPY\x01\x00v\x00", 10) +
                                            "{'descr': '<f8', 'fortran_order': False, 'shape': (), }                   "
                                            "                                           \n" +
                                            std::string("\0\0\0\0\0\0\x04@", 8));
    for (extents const& shape : {extents{}, extents{1}, extents{0, 12345678901}, extents(64, 1)}) {
        CHECK(npy_prefix("<f4", shape).size() % 64 == 0);
    }
}

TEMPLATE_TEST_CASE("what is written is read", "[io][npy]", double, float, std::int8_t, std::int16_t, std::int32_t,
                   std::int64_t, std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t) {
    scratch_dir const dir;
    std::mt19937_64 random{3};
    for (extents const& shape : {extents{}, extents{7}, extents{1, 1}, extents{3, 0, 2}, extents{2, 3, 5, 7}}) {
        std::vector<TestType> values(static_cast<std::size_t>(element_count({{}, {}, shape})));
        for (auto& value : values) value = static_cast<TestType>(random());
        write_npy(dir / "x.npy", std::span<TestType const>(values), std::span<plateau::index const>(shape));
        auto const back = read_npy<TestType>(dir / "x.npy");
        CHECK(back.shape == shape);
        CHECK(back.values == values);
        auto const copy = parse(written<TestType>(values, shape));
        CHECK(copy.descr == npy_descr<TestType>);
        CHECK(copy.size() == static_cast<plateau::index>(values.size()));
    }
    CHECK(dir.entries() == 1);
}

TEST_CASE("containers and files of a set are written too", "[io][npy]") {
    scratch_dir const dir;
    plateau::atomic_file file{dir / "a.npy"};
    write_npy(file, std::array<float, 4>{1, 2, 3, 4}, {2, 2});
    file.commit();
    CHECK(read_npy<float>(dir / "a.npy").values == std::vector<float>{1, 2, 3, 4});
    write_npy(dir / "b.npy", std::vector<double>{1, 2, 3}, {3});
    CHECK(read_npy<double>(dir / "b.npy").shape == extents{3});
    write_npy(dir / "h.npy", std::vector<float16>{{0x3C00}}, {1});
    CHECK(read_npy<float16>(dir / "h.npy").values[0].bits == 0x3C00);
    CHECK_THROWS_AS(write_npy(dir / "c.npy", std::vector<double>{1, 2, 3}, {2}), shape_error);
    CHECK_THROWS_AS(write_npy(dir / "c.npy", std::vector<double>{}, {-1, 0}), shape_error);
    CHECK_THROWS_AS(write_npy(dir / "c.npy", std::vector<double>{}, {plateau::index{1} << 40, plateau::index{1} << 40}),
                    shape_error);
    CHECK_THAT(message_of<file_error>([&] { write_npy(dir / "no" / "c.npy", std::vector<double>{1}, {1}); }),
               contains("c.npy"));
    CHECK(dir.entries() == 3);
}

TEST_CASE("older and other spellings of the header are read", "[io][npy]") {
    std::string const data("\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\6\0\0\0", 24);
    auto const values = [](std::string const& bytes) { return typed<std::int32_t>(parse(bytes), "x").values; };
    std::vector<std::int32_t> const expected{1, 2, 3, 4, 5, 6};
    CHECK(values(with_header("{'descr': '<i4', 'fortran_order': False, 'shape': (2L, 3L), }", data)) == expected);
    CHECK(values(with_header("{\"shape\":(6,),\"fortran_order\":False,\"descr\":\"<i4\"}", data, 2)) == expected);
    CHECK(values(with_header("  { 'shape' : ( 3 , 2 , ) , 'descr':'<i4','fortran_order':False}  ", data, 3)) ==
          expected);
    // Fortran order: the first axis runs fastest.
    auto const fortran = parse(with_header("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3), }", data));
    CHECK(fortran.shape == extents{2, 3});
    CHECK(typed<std::int32_t>(fortran, "x").values == std::vector<std::int32_t>{1, 3, 5, 2, 4, 6});
    CHECK(values(with_header("{'descr': '<i4', 'fortran_order': True, 'shape': (6,), }", data)) == expected);
    CHECK(values(with_header("{'descr': '<i4', 'fortran_order': True, 'shape': (0, 3), }", "")).empty());
    auto const cube = parse(with_header("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", data));
    for (std::size_t i = 0; i < 2; ++i)
        for (std::size_t j = 0; j < 3; ++j)
            for (std::size_t k = 0; k < 4; ++k)
                CHECK(cube.data[(i * 3 + j) * 4 + k] == std::byte(data[i + 2 * (j + 3 * k)]));
}

TEST_CASE("integers of any width are token ids; floats are not", "[io][npy]") {
    CHECK(integers(parse(written<std::int32_t>({-1, 7}, {1, 2})), "t.npy").values == extents{-1, 7});
    CHECK(integers(parse(written<std::int64_t>({1, 1ll << 40}, {2})), "t.npy").values == extents{1, 1ll << 40});
    CHECK(integers(parse(written<std::int8_t>({-128}, {1})), "t.npy").values == extents{-128});
    CHECK(integers(parse(written<std::uint8_t>({255}, {1})), "t.npy").values == extents{255});
    CHECK(integers(parse(written<std::int16_t>({-5}, {1})), "t.npy").values == extents{-5});
    CHECK(integers(parse(written<std::uint16_t>({65535}, {1})), "t.npy").values == extents{65535});
    CHECK(integers(parse(written<std::uint32_t>({4294967295u}, {})), "t.npy").values == extents{4294967295});
    CHECK(integers(parse(written<std::uint64_t>({5}, {1})), "t.npy").values == extents{5});
    CHECK_THAT(message_of<file_error>([] { integers(parse(written<std::uint64_t>({UINT64_MAX}, {1})), "t.npy"); }),
               contains("t.npy") && contains("too large"));
    CHECK_THAT(message_of<file_error>([] { integers(parse(written<float>({1}, {1})), "t.npy"); }),
               contains("'<f4'") && contains("int32 or int64"));
    CHECK_THROWS_AS(integers(parse(with_header("{'descr':'|b1','fortran_order':False,'shape':(1,)}", "\1")), "t.npy"),
                    file_error);
}

TEST_CASE("another element type than asked for is an error", "[io][npy]") {
    scratch_dir const dir;
    write_npy(dir / "x.npy", std::vector<float>{1}, {1});
    CHECK_THAT(message_of<file_error>([&] { read_npy<double>(dir / "x.npy"); }),
               contains("x.npy") && contains("'<f4', expected '<f8'"));
    CHECK_THAT(message_of<file_error>([&] { read_npy(dir / "absent.npy"); }), contains("absent.npy"));
}

TEST_CASE("a cut file is refused at every length", "[io][npy]") {
    std::string const whole = written<float>({1, 2, 3}, {3});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_THAT(complaint(whole.substr(0, size)), contains("x.npy"));
    }
    CHECK_THAT(complaint(whole.substr(0, 50)), contains("cut"));
    CHECK_THAT(complaint(whole.substr(0, whole.size() - 1)), contains("cut"));
    CHECK_THAT(complaint(whole + "x"), contains("more than one array"));
}

TEST_CASE("garbage is refused", "[io][npy]") {
    CHECK_THAT(complaint("hello, world, this is text"), contains("not an NPY array"));
    CHECK_THAT(complaint("PK\x03\x04 a zip file, perhaps"), contains("not an NPY array"));
    CHECK_THAT(complaint(with_header("{}", "", 9)), contains("version 9"));
    CHECK_THAT(complaint(std::string("\x93NUMPY\x02\0\xFF\xFF\xFF\xFF", 12)), contains("absurdly long"));
    for (std::string const dict :
         {"", "{", "}", "[]", "{'descr'}", "{'descr': '<f4'", "{'descr': '<f4', 'fortran_order': False}",
          "{'descr': '<f4', 'fortran_order': 0, 'shape': ()}", "{'descr': '<f4', 'fortran_order': False, 'shape': 3}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (3}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': ('3',)}",
          "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}", "{'descr: '<f4'}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': ()} trailing",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (3 3)}"}) {
        CAPTURE(dict);
        CHECK_THAT(with_dict(dict, 4), contains("not a usable NPY array"));
    }
    std::mt19937_64 random{11};
    std::string const whole = written<float>({1, 2, 3}, {3});
    for (int i = 0; i < 3000; ++i) {  // no damage of a byte may crash; most are errors
        std::string damaged = whole;
        damaged[random() % 70] = static_cast<char>(random());
        CHECK_FALSE(complaint(damaged).starts_with("ANOTHER"));
    }
}

TEST_CASE("types and shapes that cannot be read are named", "[io][npy]") {
    auto const with = [](std::string const& descr, std::string const& shape) {
        return with_dict("{'descr': " + descr + ", 'fortran_order': False, 'shape': " + shape + ", }", 8);
    };
    CHECK_THAT(with("'>f4'", "(2,)"), contains("big-endian") && contains("newbyteorder"));
    CHECK_THAT(with("'|O'", "(1,)"), contains("'|O' is not supported"));
    CHECK_THAT(with("'<U8'", "(1,)"), contains("not supported"));
    CHECK_THAT(with("'<c8'", "(1,)"), contains("not supported"));
    CHECK_THAT(with("[('a', '<f4')]", "(1,)"), contains("structured"));
    CHECK_THAT(with("'<f8'", "(-1,)"), contains("negative"));
    CHECK_THAT(with("'<f8'", "(1.0,)"), contains("malformed"));
    CHECK_THAT(with("'<f8'", "(9223372036854775808,)"), contains("overflows"));
    CHECK_THAT(with("'<f8'", "(9223372036854775807,)"), contains("overflows"));
    CHECK_THAT(with("'<f8'", "(4294967296, 4294967296)"), contains("overflows"));
    CHECK_THAT(with("'<f8'", "(1152921504606846975,)"), contains("cut"));
    std::string axes = "(";
    for (int i = 0; i < 65; ++i) axes += "1, ";
    CHECK_THAT(with("'<f8'", axes + ")"), contains("more than 64 axes"));
}
