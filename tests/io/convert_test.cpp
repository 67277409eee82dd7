#include <plateau/io/convert.hpp>

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include <plateau/core/dtype.hpp>

#include "support/catch.hpp"

using plateau::bfloat16;
using plateau::dtype;
using plateau::float16;
using namespace plateau::io;

namespace {

/// The bytes of values at an odd address.
template <class T>
std::vector<std::byte> shifted(std::vector<T> const& values) {
    std::vector<std::byte> bytes(1 + values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
    return bytes;
}

template <class To, class From>
plateau::index convert(std::vector<From> const& values, std::vector<To>& out) {
    auto const bytes = shifted(values);
    out.assign(values.size(), To{});
    return convert_elements(plateau::dtype_of<From>, std::span(bytes).subspan(1), std::span(out));
}

}  // namespace

TEST_CASE("widening is exact for every 16-bit float", "[io][convert]") {
    std::vector<bfloat16> brain;
    std::vector<float16> half;
    for (unsigned bits = 0; bits < 0x10000u; ++bits) {
        if ((bits & 0x7F80u) != 0x7F80u) {
            brain.emplace_back();
            brain.back().bits = static_cast<std::uint16_t>(bits);
        }
        if ((bits & 0x7C00u) != 0x7C00u) half.push_back({static_cast<std::uint16_t>(bits)});
    }
    std::vector<double> wide;
    std::vector<bfloat16> same;
    REQUIRE(convert(brain, wide) == -1);
    REQUIRE(convert(brain, same) == -1);
    bool equal = true;
    for (std::size_t i = 0; i < brain.size(); ++i) {
        equal &= wide[i] == static_cast<double>(static_cast<float>(brain[i])) && same[i].bits == brain[i].bits;
    }
    CHECK(equal);
    REQUIRE(convert(half, wide) == -1);
    equal = true;
    for (std::size_t i = 0; i < half.size(); ++i) {
        int const exponent = half[i].bits >> 10 & 31, mantissa = half[i].bits & 1023;
        double const size = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
        equal &= wide[i] == (half[i].bits & 0x8000 ? -size : size);
    }
    CHECK(equal);
}

TEST_CASE("narrowing rounds once, to nearest, ties to even", "[io][convert]") {
    std::mt19937_64 random{7};
    for (int i = 0; i < 20'000; ++i) {
        auto const value =
            std::ldexp(std::uniform_real_distribution<double>(-1, 1)(random), static_cast<int>(random() % 60) - 30);
        auto const got = static_cast<double>(static_cast<float>(round_to_bfloat16(value)));
        int exponent = 0;
        std::frexp(value, &exponent);
        double const unit = std::ldexp(1.0, exponent - 8);
        REQUIRE(got == std::nearbyint(value / unit) * unit);  // nearbyint: ties to even
    }
    // Just above a tie of bfloat16, by less than a float can show: by way of float it would round down.
    double const tie = 1.0 + std::ldexp(1.0, -8);
    CHECK(static_cast<float>(round_to_bfloat16(tie)) == 1.0f);
    CHECK(static_cast<float>(round_to_bfloat16(tie + std::ldexp(1.0, -40))) == 1.0f + std::ldexp(1.0f, -7));
    CHECK(static_cast<float>(round_to_bfloat16(-tie - std::ldexp(1.0, -40))) == -1.0f - std::ldexp(1.0f, -7));
    CHECK(round_to_bfloat16(1e-60).bits == 0);
    CHECK(round_to_bfloat16(-0.0).bits == 0x8000);
    std::vector<float> narrow;
    REQUIRE(convert(std::vector<double>{0.1, -1e-300, 1.0 + std::ldexp(1.0, -24)}, narrow) == -1);
    CHECK(narrow == std::vector<float>{0.1f, -0.0f, 1.0f});
}

TEST_CASE("the first value that is not finite is found anywhere", "[io][convert]") {
    auto const at = GENERATE(0, 1, 4095, 4096, 4097, 9999);
    auto const place = static_cast<std::size_t>(at);
    float const bad = GENERATE(std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN());
    std::vector<float> values(10'000, 1.0f);
    values[place] = values.back() = bad;
    std::vector<float> same;
    std::vector<double> wide;
    std::vector<bfloat16> narrow;
    CHECK(convert(values, same) == at);
    CHECK(convert(values, wide) == at);
    CHECK(convert(values, narrow) == at);
}

TEMPLATE_TEST_CASE("any number of elements converts like one after the other", "[io][convert]", float, double,
                   bfloat16) {
    auto const check = [](auto stored) {
        using from = decltype(stored);
        std::mt19937_64 random{11};
        std::vector<from> values(200);
        for (auto& value : values) {  // every kind of finite number
            std::uint64_t const bits = random();
            std::memcpy(static_cast<void*>(&value), &bits, sizeof value);
            if (!is_finite(convert_element<double>(value)) || !is_finite(convert_element<TestType>(value)))
                value = from{};
        }
        for (std::size_t count = 0; count <= values.size(); ++count) {
            std::vector<from> const some(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count));
            std::vector<TestType> out;
            REQUIRE(convert(some, out) == -1);
            for (std::size_t i = 0; i < count; ++i) {
                auto const expected = convert_element<TestType>(some[i]);
                REQUIRE(std::memcmp(&out[i], &expected, sizeof expected) == 0);
            }
        }
    };
    check(float{});
    check(double{});
    check(float16{});
    check(bfloat16{});
}

TEST_CASE("a NaN whose payload bfloat16 would lose, and an overflow, are found within a block", "[io][convert]") {
    float const bad = GENERATE(std::bit_cast<float>(0x7F800001u), std::bit_cast<float>(0xFF800001u),
                               std::bit_cast<float>(0x7FFFFFFFu), std::numeric_limits<float>::max());
    for (std::size_t place : {0u, 31u, 32u, 70u, 99u}) {
        std::vector<float> values(100, -2.5f);
        values[place] = bad;
        std::vector<bfloat16> narrow;
        CHECK(convert(values, narrow) == static_cast<plateau::index>(place));
    }
}

TEST_CASE("an overflow of the narrower type is not finite", "[io][convert]") {
    std::vector<float> narrow;
    std::vector<bfloat16> brain;
    std::vector<double> wide;
    float const most = std::numeric_limits<float>::max();
    CHECK(convert(std::vector<double>{1, most}, narrow) == -1);
    CHECK(convert(std::vector<double>{1, 1e39}, narrow) == 1);
    CHECK(convert(std::vector<double>{1, 1e39}, wide) == -1);
    CHECK(convert(std::vector<double>{1, most}, brain) == 1);
    CHECK(convert(std::vector<double>{1, 1e39}, brain) == 1);
    CHECK(convert(std::vector<float>{1, 1, most}, brain) == 2);
    CHECK(convert(std::vector<float>{}, brain) == -1);
}
