// The inner loops of matrix products. Included once per instruction set, by kernels.hpp.

/// c [Rows, Vectors · lanes] from a [Rows, depth] · b [depth, Vectors · lanes], each element one chain of
/// multiply-adds in the order of k: its bits depend neither on Rows nor on Vectors nor on how depth is cut.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_tile(float const* a, index a_stride, float const* b, index b_stride, index depth,
                                                 float* c, index c_stride, sum_start start, char const* ahead,
                                                 index ahead_step) {
    vec sums[Rows][Vectors];
PLATEAU_UNROLL
    for (int r = 0; r < Rows; ++r) {
PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) sums[r][v] = start == sum_start::continued ? load(c + r * c_stride + v * lanes) : vec{};
    }
    for (index k = 0; k < depth; ++k, ahead += ahead_step) {
        __builtin_prefetch(ahead, 0, 2);
        vec weights[Vectors];
PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) weights[v] = load(b + k * b_stride + v * lanes);
PLATEAU_UNROLL
        for (int r = 0; r < Rows; ++r) {
            vec const x = splat(a[r * a_stride + k]);
PLATEAU_UNROLL
            for (int v = 0; v < Vectors; ++v) sums[r][v] += x * weights[v];
        }
    }
PLATEAU_UNROLL
    for (int r = 0; r < Rows; ++r) {
PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            float* const to = c + r * c_stride + v * lanes;
            store(to, start == sum_start::apart ? load(to) + sums[r][v] : sums[r][v]);
        }
    }
}

/// All 64 columns of a panel, as many vectors at a time as the registers hold.
template <int Rows>
[[gnu::noinline]] void multiply_rows(float const* a, index a_stride, float const* b, index b_stride, index depth, float* c,
                                     index c_stride, sum_start start, char const* ahead, index ahead_step) {
    for (int column = 0; column < panel_columns; column += tile_vectors * lanes) {
        multiply_tile<Rows, tile_vectors>(a, a_stride, b + column, b_stride, depth, c + column, c_stride, start, ahead, ahead_step);
    }
}

inline void multiply(float const* a, index a_stride, float const* b, index b_stride, index rows, index depth, float* c,
                     index c_stride, sum_start start, float const* next) {
    constexpr index line_of_k = panel_columns * 4;  // bytes of a panel for one k
    char const* ahead = reinterpret_cast<char const*>(next != nullptr ? next : b);
    index const step = rows > 6 ? line_of_k / ((rows + 5) / 6) : line_of_k;  // all tiles together ask for the whole panel
    for (; rows >= 6; rows -= 6, a += 6 * a_stride, c += 6 * c_stride, ahead += depth * step) {
        multiply_rows<6>(a, a_stride, b, b_stride, depth, c, c_stride, start, ahead, step);
    }
    switch (rows) {
        case 1: return multiply_rows<1>(a, a_stride, b, b_stride, depth, c, c_stride, start, ahead, step);
        case 2: return multiply_rows<2>(a, a_stride, b, b_stride, depth, c, c_stride, start, ahead, step);
        case 3: return multiply_rows<3>(a, a_stride, b, b_stride, depth, c, c_stride, start, ahead, step);
        case 4: return multiply_rows<4>(a, a_stride, b, b_stride, depth, c, c_stride, start, ahead, step);
        case 5: return multiply_rows<5>(a, a_stride, b, b_stride, depth, c, c_stride, start, ahead, step);
    }
}
