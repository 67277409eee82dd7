// The inner loops of matrix products. Included once per instruction set, by kernels.hpp.

/// c [Rows, Vectors · lanes] from a [Rows, depth] · b [depth, Vectors · lanes], each element one chain of
/// multiply-adds in the order of k: its bits depend neither on Rows nor on Vectors nor on how depth is cut.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_tile(strided<float const> a, strided<float const> b, index depth,
                                                 strided<float> c, sum_start start, char const* ahead,
                                                 index ahead_step) {
    vec sums[Rows][Vectors];
    PLATEAU_UNROLL
    for (int r = 0; r < Rows; ++r) {
        PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) sums[r][v] = start == sum_start::continued ? load(c[r] + v * lanes) : vec{};
    }
    for (index k = 0; k < depth; ++k, ahead += ahead_step) {
        __builtin_prefetch(ahead, 0, 2);
        vec weights[Vectors];
        PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) weights[v] = load(b[k] + v * lanes);
        PLATEAU_UNROLL
        for (int r = 0; r < Rows; ++r) {
            vec const x = splat(a[r][k]);
            PLATEAU_UNROLL
            for (int v = 0; v < Vectors; ++v) sums[r][v] += x * weights[v];
        }
    }
    PLATEAU_UNROLL
    for (int r = 0; r < Rows; ++r) {
        PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            float* const to = c[r] + v * lanes;
            store(to, start == sum_start::added_after ? load(to) + sums[r][v] : sums[r][v]);
        }
    }
}

/// All columns of a panel, as many vectors at a time as the registers hold.
template <int Rows>
void multiply_rows(strided<float const> a, strided<float const> b, index columns, index depth, strided<float> c,
                   sum_start start, char const* ahead, index ahead_step) {
    if (columns < tile_vectors * lanes)
        return multiply_tile<Rows, narrow_columns / lanes>(a, b, depth, c, start, ahead, ahead_step);
    for (; columns > 0;
         columns -= tile_vectors * lanes, b.data += tile_vectors * lanes, c.data += tile_vectors * lanes) {
        multiply_tile<Rows, tile_vectors>(a, b, depth, c, start, ahead, ahead_step);
    }
}

inline void multiply(strided<float const> a, strided<float const> b, index columns, index rows, index depth,
                     strided<float> c, sum_start start, float const* next) {
    constexpr index line_of_k = panel_columns * 4;  // bytes of a panel for one k
    char const* ahead = reinterpret_cast<char const*>(next != nullptr ? next : b.data);
    index const step =
        rows > 6 ? line_of_k / ((rows + 5) / 6) : line_of_k;  // all tiles together ask for the whole panel
    for (; rows >= 6; rows -= 6, a.data += 6 * a.stride, c.data += 6 * c.stride, ahead += depth * step) {
        multiply_rows<6>(a, b, columns, depth, c, start, ahead, step);
    }
    switch (rows) {
        case 1: return multiply_rows<1>(a, b, columns, depth, c, start, ahead, step);
        case 2: return multiply_rows<2>(a, b, columns, depth, c, start, ahead, step);
        case 3: return multiply_rows<3>(a, b, columns, depth, c, start, ahead, step);
        case 4: return multiply_rows<4>(a, b, columns, depth, c, start, ahead, step);
        case 5: return multiply_rows<5>(a, b, columns, depth, c, start, ahead, step);
    }
}
