// Matrix products of weights and inputs in bfloat16, by the processor's own dot products of pairs. Included by
// kernels.hpp for the instruction sets that have them. Two neighbouring k stand in one word, the even one in the lower
// half.

/// sums += x₁w₁ + x₀w₀ for one pair of k, subnormals flushed, as the processor rounds it.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void add_pair(vec (&sums)[Rows][Vectors], strided<std::uint32_t const> a,
                                            std::uint32_t const* b, index k) {
    uvec weights[Vectors];
    PLATEAU_UNROLL
    for (int v = 0; v < Vectors; ++v) __builtin_memcpy(&weights[v], b + k * panel_columns + v * lanes, sizeof(uvec));
    PLATEAU_UNROLL
    for (int r = 0; r < Rows; ++r) {
        uvec const x = a[r][k] - uvec{};
        PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) asm("vdpbf16ps %2, %1, %0" : "+v"(sums[r][v]) : "v"(x), "v"(weights[v]));
    }
}

inline void round_row_to_pairs(float const* x, index count, std::uint32_t* out) {
    for (index k = 0; k < count; k += 2) {
        out[k / 2] = rounded(x[k]) >> 16;
        if (k + 1 < count) out[k / 2] |= rounded(x[k + 1]) & 0xFFFF0000u;
    }
}

template <int Rows, int Vectors>
[[gnu::always_inline]] inline void multiply_pairs_tile(strided<std::uint32_t const> a, std::uint32_t const* b,
                                                       index pairs, strided<float> c, sum_start start,
                                                       char const* ahead, index ahead_step) {
    vec sums[Rows][Vectors];
    PLATEAU_UNROLL
    for (int r = 0; r < Rows; ++r) {
        PLATEAU_UNROLL
        for (int v = 0; v < Vectors; ++v) sums[r][v] = start == sum_start::continued ? load(c[r] + v * lanes) : vec{};
    }
    for (index k = 0; k < pairs; ++k, ahead += ahead_step) {
        __builtin_prefetch(ahead, 0, 2);
        add_pair(sums, a, b, k);
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

template <int Rows>
void multiply_pairs_rows(strided<std::uint32_t const> a, std::uint32_t const* b, index pairs, strided<float> c,
                         sum_start start, char const* ahead, index ahead_step) {
    for (int column = 0; column < panel_columns; column += tile_vectors * lanes) {
        multiply_pairs_tile<Rows, tile_vectors>(a, b + column, pairs, {c.data + column, c.stride}, start, ahead,
                                                ahead_step);
    }
}

inline void multiply_pairs(strided<std::uint32_t const> a, std::uint32_t const* b, index rows, index depth,
                           strided<float> c, sum_start start, std::uint32_t const* next) {
    constexpr index line_of_pair = panel_columns * 4;
    index const pairs = (depth + 1) / 2, step = rows > 6 ? line_of_pair / ((rows + 5) / 6) : line_of_pair;
    char const* ahead = reinterpret_cast<char const*>(next != nullptr ? next : b);
    for (; rows >= 6; rows -= 6, a.data += 6 * a.stride, c.data += 6 * c.stride, ahead += pairs * step) {
        multiply_pairs_rows<6>(a, b, pairs, c, start, ahead, step);
    }
    switch (rows) {
        case 1: return multiply_pairs_rows<1>(a, b, pairs, c, start, ahead, step);
        case 2: return multiply_pairs_rows<2>(a, b, pairs, c, start, ahead, step);
        case 3: return multiply_pairs_rows<3>(a, b, pairs, c, start, ahead, step);
        case 4: return multiply_pairs_rows<4>(a, b, pairs, c, start, ahead, step);
        case 5: return multiply_pairs_rows<5>(a, b, pairs, c, start, ahead, step);
    }
}
