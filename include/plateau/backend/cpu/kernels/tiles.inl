// Matrix products of bfloat16 over tiles. Included once per tile_unit, by kernels.hpp: the processor's, and its
// emulation, which reads and writes the same addresses.

/// Products of parts, one after the other: from each to the next either the rows' part or the weights' stays where it
/// is, whichever of them a product needs.
inline constexpr std::uint8_t part_order[6][2] = {{1, 1}, {1, 0}, {2, 0}, {0, 0}, {0, 2}, {0, 1}};

/// Those that a product needs.
struct part_products {
    int count = 0;
    std::uint8_t parts[6][2] = {};

    part_products(int of_rows, int of_weights, int orders) {
        for (auto const& [i, j] : part_order) {
            if (i >= of_rows || j >= of_weights || i + j >= orders) continue;
            parts[count][0] = i;
            parts[count++][1] = j;
        }
    }
};

/// c [rows, 32] from words [0, pairs) of up to 32 rows, Halves of 16 of them, and as many lines of a panel, which must
/// be 16 in a step but for the last call.
template <int Halves>
void multiply_tiles(tile_unit& unit, part_products const& products, part_rows const& x, part_rows const& w, index pairs,
                    strided<float> c, bool continued) {
    constexpr index panel_bytes = panel_columns * 4, some = 16;
    index const x_bytes = x.stride * 4, c_bytes = c.stride * 4;
    float* const low = c.data;
    float* const high = c[some];
    if (continued) {
        unit.template load<0>(low, c_bytes);
        unit.template load<1>(low + some, c_bytes);
        if constexpr (Halves == 2) unit.template load<2>(high, c_bytes), unit.template load<3>(high + some, c_bytes);
    } else {
        unit.template clear<0>();
        unit.template clear<1>();
        if constexpr (Halves == 2) unit.template clear<2>(), unit.template clear<3>();
    }
    for (index k = 0; k < pairs; k += some) {
        int rows_part = -1, weights_part = -1;
        for (int p = 0; p < products.count; ++p) {
            if (int const part = products.parts[p][0]; part != rows_part) {
                std::uint32_t const* const from = x.data + part * x.step + k;
                unit.template load<4>(from, x_bytes);
                if constexpr (Halves == 2) unit.template load<5>(from + some * x.stride, x_bytes);
                rows_part = part;
            }
            if (int const part = products.parts[p][1]; part != weights_part) {
                std::uint32_t const* const from = w.data + part * w.step + k * panel_columns;
                unit.template load<6>(from, panel_bytes);
                unit.template load<7>(from + some, panel_bytes);
                weights_part = part;
            }
            unit.template multiply<0, 4, 6>();
            unit.template multiply<1, 4, 7>();
            if constexpr (Halves == 2) unit.template multiply<2, 5, 6>(), unit.template multiply<3, 5, 7>();
        }
    }
    unit.template store<0>(low, c_bytes);
    unit.template store<1>(low + some, c_bytes);
    if constexpr (Halves == 2) unit.template store<2>(high, c_bytes), unit.template store<3>(high + some, c_bytes);
}

/// Both halves of a panel's columns.
inline void multiply_columns(tile_unit& unit, part_products const& products, part_rows const& x, part_rows w, int rows,
                             index pairs, strided<float> c, bool continued) {
    for (int half = 0; half < 2; ++half, w.data += panel_columns / 2, c.data += panel_columns / 2) {
        if (rows > 16) multiply_tiles<2>(unit, products, x, w, pairs, c, continued);
        else multiply_tiles<1>(unit, products, x, w, pairs, c, continued);
    }
}

inline void multiply_parts(part_rows x, part_rows w, index rows, index depth, int orders, strided<float> c) {
    tile_unit unit;
    part_products const products{x.parts, w.parts, orders};
    index const pairs = (depth + 1) / 2, whole = pairs / 16 * 16, rest = pairs - whole;
    for (; rows > 0; rows -= 32, x.data += 32 * x.stride, c.data += 32 * c.stride) {
        int const now = rows < 32 ? static_cast<int>(rows) : 32, first = now < 16 ? now : 16;
        if (whole > 0) {
            unit.configure(first, now - first, 16);
            multiply_columns(unit, products, x, w, now, whole, c, false);
        }
        if (rest > 0) {
            unit.configure(first, now - first, static_cast<int>(rest));
            part_rows const more_x{x.data + whole, x.stride, x.step, x.parts};
            part_rows const more_w{w.data + whole * panel_columns, w.stride, w.step, w.parts};
            multiply_columns(unit, products, more_x, more_w, now, rest, c, whole > 0);
        }
    }
}
