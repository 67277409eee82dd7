#pragma once
/// The ways of forming products of float matrices, where weights are not stored in bfloat16.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>

namespace plateau::backend {

enum class float_products : std::uint8_t {
    fp32,    ///< in float
    tf32,    ///< inputs rounded to 10 bits of mantissa
    bf16x3,  ///< inputs split into two bfloat16 each, three of the four products
};

constexpr std::string_view name_of(float_products products) {
    return products == float_products::fp32 ? "fp32" : products == float_products::tf32 ? "tf32" : "bf16x3";
}

/// All of them.
inline constexpr std::array all_float_products{float_products::fp32, float_products::tf32, float_products::bf16x3};

/// @throws usage_error on a name that none of them has
inline float_products float_products_named(std::string const& name) {
    for (auto const products : all_float_products) {
        if (name_of(products) == name) return products;
    }
    throw usage_error("there are no products '", name, "': fp32, tf32 and bf16x3 are");
}

}  // namespace plateau::backend
