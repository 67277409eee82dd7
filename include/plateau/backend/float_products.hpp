#pragma once
/// The ways of forming products of float matrices, where weights are not stored in bfloat16.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>

namespace plateau::backend {

enum class float_products : std::uint8_t {
    fp32,    ///< in float
    tf32,    ///< inputs rounded to 10 bits of mantissa; of devices
    bf16x3,  ///< inputs in two parts of bfloat16 each, three products of them: all but that of the small ones
    bf16x6,  ///< in three parts each, six products: all but those of which less is left than of a float's; of tiles
    bf16,    ///< inputs rounded to bfloat16; of tiles
};

/// All of them, and their names.
inline constexpr std::array all_float_products{float_products::fp32, float_products::tf32, float_products::bf16x3,
                                               float_products::bf16x6, float_products::bf16};
inline constexpr std::array<std::string_view, 5> float_product_names{"fp32", "tf32", "bf16x3", "bf16x6", "bf16"};

constexpr std::string_view name_of(float_products products) {
    return float_product_names[static_cast<std::size_t>(products)];
}

/// Parts of bfloat16 that each input has; 0 where it is none.
constexpr int parts_of(float_products products) {
    return products == float_products::bf16     ? 1
           : products == float_products::bf16x3 ? 2
           : products == float_products::bf16x6 ? 3
                                                : 0;
}

/// @throws usage_error on a name that none of them has
inline float_products float_products_named(std::string const& name) {
    for (auto const products : all_float_products) {
        if (name_of(products) == name) return products;
    }
    throw usage_error("there are no products '", name, "': fp32, tf32, bf16x3, bf16x6 and bf16 are");
}

}  // namespace plateau::backend
