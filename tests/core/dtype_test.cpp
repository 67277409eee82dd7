#include <plateau/core/dtype.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

#include "support/catch.hpp"

using namespace plateau;

namespace {

bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

/// The value by its definition: (-1)^s 2^(e-15) (1 + m/1024), subnormals (-1)^s 2^-14 m/1024.
double float16_by_definition(unsigned bits) {
    double const sign = bits & 0x8000u ? -1.0 : 1.0;
    int const exponent = static_cast<int>((bits >> 10) & 0x1Fu);
    double const mantissa = bits & 0x3FFu;
    if (exponent == 0) return sign * std::ldexp(mantissa, -24);
    return sign * std::ldexp(1024.0 + mantissa, exponent - 25);
}

}  // namespace

TEST_CASE("every finite float16 widens to the value that its bits define", "[core][dtype]") {
    for (unsigned bits = 0; bits < 0x10000u; ++bits) {
        if (((bits >> 10) & 0x1Fu) == 0x1Fu) continue;
        auto const widened = static_cast<float>(float16{static_cast<std::uint16_t>(bits)});
        if (!same_bits(widened, static_cast<float>(float16_by_definition(bits)))) {
            CAPTURE(bits, widened);
            REQUIRE(static_cast<double>(widened) == float16_by_definition(bits));
        }
    }
    CHECK(same_bits(static_cast<float>(float16{0x8000}), -0.0f));
}

TEST_CASE("float16 infinities and NaNs widen to their kind", "[core][dtype]") {
    CHECK(static_cast<float>(float16{0x7C00}) == std::numeric_limits<float>::infinity());
    CHECK(static_cast<float>(float16{0xFC00}) == -std::numeric_limits<float>::infinity());
    int not_nan = 0;
    for (unsigned mantissa = 1; mantissa < 0x400u; ++mantissa) {
        not_nan += !std::isnan(static_cast<float>(float16{static_cast<std::uint16_t>(0x7C00u | mantissa)}));
        not_nan += !std::isnan(static_cast<float>(float16{static_cast<std::uint16_t>(0xFC00u | mantissa)}));
    }
    CHECK(not_nan == 0);
}

TEST_CASE("every bfloat16 survives the way to float and back", "[core][dtype]") {
    int wrong = 0;
    for (unsigned bits = 0; bits < 0x10000u; ++bits) {
        bfloat16 stored;
        stored.bits = static_cast<std::uint16_t>(bits);
        auto const widened = static_cast<float>(stored);
        bfloat16 const back{widened};
        if (std::isnan(widened)) {
            wrong += !std::isnan(static_cast<float>(back));
        } else {
            wrong += back.bits != stored.bits;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("bfloat16 rounds to the nearest, ties to the even one", "[core][dtype]") {
    int wrong = 0;
    // Between every pair of positive finite neighbours: the middle, and one float to each side of it.
    for (unsigned low = 0; low < 0x7F7Fu; ++low) {
        std::uint32_t const middle = (low << 16) | 0x8000u;
        wrong += bfloat16{std::bit_cast<float>(middle - 1)}.bits != low;
        wrong += bfloat16{std::bit_cast<float>(middle + 1)}.bits != low + 1;
        wrong += bfloat16{std::bit_cast<float>(middle)}.bits != (low % 2 == 0 ? low : low + 1);
        wrong += bfloat16{-std::bit_cast<float>(middle)}.bits != ((low % 2 == 0 ? low : low + 1) | 0x8000u);
    }
    CHECK(wrong == 0);
    CHECK(bfloat16{std::numeric_limits<float>::max()}.bits == 0x7F80u);  // nearer to the next power of two: infinity
    // A NaN whose payload lies in the lower half alone must not become an infinity.
    CHECK(std::isnan(static_cast<float>(bfloat16{std::bit_cast<float>(0x7F800001u)})));
}

TEST_CASE("types, sizes and names agree", "[core][dtype]") {
    STATIC_REQUIRE(dtype_of<double> == dtype::f64);
    STATIC_REQUIRE(dtype_of<float> == dtype::f32);
    STATIC_REQUIRE(dtype_of<bfloat16> == dtype::bf16);
    STATIC_REQUIRE(dtype_of<float16> == dtype::f16);
    STATIC_REQUIRE(size_of(dtype_of<double>) == sizeof(double));
    STATIC_REQUIRE(size_of(dtype_of<float>) == sizeof(float));
    STATIC_REQUIRE(size_of(dtype_of<bfloat16>) == sizeof(bfloat16));
    STATIC_REQUIRE(size_of(dtype_of<float16>) == sizeof(float16));
    CHECK(name_of(dtype::f64) == "fp64");
    CHECK(name_of(dtype::f32) == "fp32");
    CHECK(name_of(dtype::f16) == "fp16");
    CHECK(name_of(dtype::bf16) == "bf16");
}
