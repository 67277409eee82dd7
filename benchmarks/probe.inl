// Loops that do nothing but what they measure, on vectors `vec` of the instruction set PLATEAU_PROBE_TARGET. Included
// once per instruction set, by probe.hpp.

#if defined(__x86_64__)
/// 12 chains of multiply-adds that wait for nothing but themselves; an instruction set does two at a time at best, each
/// of 4 cycles.
PLATEAU_PROBE_TARGET inline float multiply_adds(index rounds) {
    vec const one = 1.0f - vec{};
    vec c0 = 0.0f * one, c1 = 1.0f * one, c2 = 2.0f * one, c3 = 3.0f * one, c4 = 4.0f * one, c5 = 5.0f * one;
    vec c6 = 6.0f * one, c7 = 7.0f * one, c8 = 8.0f * one, c9 = 9.0f * one, c10 = 10.0f * one, c11 = 11.0f * one;
    vec a = 0.999f - vec{}, b = 0.5f - vec{};
    for (index i = 0; i < rounds; ++i) {
        c0 = c0 * a + b, c1 = c1 * a + b, c2 = c2 * a + b, c3 = c3 * a + b, c4 = c4 * a + b, c5 = c5 * a + b;
        c6 = c6 * a + b, c7 = c7 * a + b, c8 = c8 * a + b, c9 = c9 * a + b, c10 = c10 * a + b, c11 = c11 * a + b;
        asm volatile("" : "+x"(a));
    }
    vec const sum = c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7 + c8 + c9 + c10 + c11;
    return sum[0];
}
#endif

typedef float loose __attribute__((vector_size(sizeof(vec)), aligned(4), may_alias));  // a vec at any address

// Vectors by name, no array of them: g++ 12 keeps arrays of vectors in memory.

/// The barrier keeps the loop from becoming a call of memcpy, which has its own ideas.
PLATEAU_PROBE_TARGET inline void copy(float const* from, float* to, index count) {
    constexpr index lanes = sizeof(vec) / sizeof(float);
    for (index i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
        auto const in = reinterpret_cast<loose const*>(from + i);
        auto const out = reinterpret_cast<loose*>(to + i);
        vec const v0 = in[0], v1 = in[1], v2 = in[2], v3 = in[3];
        out[0] = v0, out[1] = v1, out[2] = v2, out[3] = v3;
        asm volatile("" ::: "memory");
    }
}

PLATEAU_PROBE_TARGET inline float read(float const* from, index count) {
    constexpr index lanes = sizeof(vec) / sizeof(float);
    vec s0{}, s1{}, s2{}, s3{}, s4{}, s5{}, s6{}, s7{};
    for (index i = 0; i + 8 * lanes <= count; i += 8 * lanes) {
        auto const in = reinterpret_cast<loose const*>(from + i);
        s0 += in[0], s1 += in[1], s2 += in[2], s3 += in[3], s4 += in[4], s5 += in[5], s6 += in[6], s7 += in[7];
    }
    vec const sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7;
    return sum[0];
}
