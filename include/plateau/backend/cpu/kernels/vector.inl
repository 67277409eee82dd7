// Vectors of float and what the C library has for scalars. Included once per instruction set, by kernels.hpp; every
// function here is inlined into kernels of the same instruction set. No standard library in here: its inline functions
// would be compiled with instructions that the machine may not have.

inline constexpr int lanes = PLATEAU_VECTOR_BYTES / 4;
typedef float vec __attribute__((vector_size(PLATEAU_VECTOR_BYTES)));
typedef std::int32_t ivec __attribute__((vector_size(PLATEAU_VECTOR_BYTES)));
typedef std::uint32_t uvec __attribute__((vector_size(PLATEAU_VECTOR_BYTES)));

[[gnu::always_inline]] inline vec load(float const* at) {
    vec v;
    __builtin_memcpy(&v, at, sizeof v);
    return v;
}

[[gnu::always_inline]] inline void store(float* at, vec v) { __builtin_memcpy(at, &v, sizeof v); }

[[gnu::always_inline]] inline vec splat(float x) { return x - vec{}; }

#if PLATEAU_VECTOR_BYTES == 64
inline constexpr ivec lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// The first `count` lanes, count < lanes; 0 in the others. No more is read.
[[gnu::always_inline]] inline vec load_part(float const* at, index count) {
    vec v;
    asm("vmovups %1, %0%{%2%}%{z%}"
        : "=v"(v)
        : "m"(*reinterpret_cast<float const(*)[lanes]>(at)), "Yk"(static_cast<unsigned short>((1u << count) - 1)));
    return v;
}

[[gnu::always_inline]] inline void store_part(float* at, vec v, index count) {
    asm("vmovups %1, %0%{%2%}"
        : "+m"(*reinterpret_cast<float(*)[lanes]>(at))
        : "v"(v), "Yk"(static_cast<unsigned short>((1u << count) - 1)));
}

/// Every lane with the one `Step` away from it, Step a power of 2.
template <int Step>
[[gnu::always_inline]] inline vec across(vec v) {
    if constexpr (Step == 8) return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    else if constexpr (Step == 4)
        return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    else if constexpr (Step == 2)
        return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
    else return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}
#else
inline constexpr ivec lane_numbers = {0, 1, 2, 3, 4, 5, 6, 7};

[[gnu::always_inline]] inline vec load_part(float const* at, index count) {
    vec v;
    ivec const mask = lane_numbers < static_cast<std::int32_t>(count);
    asm("vmaskmovps %1, %2, %0" : "=x"(v) : "m"(*reinterpret_cast<float const(*)[lanes]>(at)), "x"(mask));
    return v;
}

[[gnu::always_inline]] inline void store_part(float* at, vec v, index count) {
    ivec const mask = lane_numbers < static_cast<std::int32_t>(count);
    asm("vmaskmovps %1, %2, %0" : "+m"(*reinterpret_cast<float(*)[lanes]>(at)) : "x"(v), "x"(mask));
}

template <int Step>
[[gnu::always_inline]] inline vec across(vec v) {
    if constexpr (Step == 4) return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    else if constexpr (Step == 2) return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
    else return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
}
#endif

/// As load_part, with `other` in the lanes that are missing.
[[gnu::always_inline]] inline vec load_part(float const* at, index count, float other) {
    return lane_numbers < static_cast<std::int32_t>(count) ? load_part(at, count) : splat(other);
}

[[gnu::always_inline]] inline vec larger(vec a, vec b) { return a > b ? a : b; }

[[gnu::always_inline]] inline float sum_of(vec v) {
    if constexpr (lanes == 16) v += across<8>(v);
    v += across<4>(v);
    v += across<2>(v);
    v += across<1>(v);
    return v[0];
}

[[gnu::always_inline]] inline float largest_of(vec v) {
    if constexpr (lanes == 16) v = larger(v, across<8>(v));
    v = larger(v, across<4>(v));
    v = larger(v, across<2>(v));
    v = larger(v, across<1>(v));
    return v[0];
}

/// eˣ to about 2 ulp (what is built on it is tested to a few more); +inf above 88.72, 0 below −87.33; NaN stays.
/// x = n·ln 2 + r, |r| ≤ ln 2 / 2;  eʳ ≈ 1 + r + r² P₄(r), P₄ minimax in relative error (3e-9).
[[gnu::always_inline]] inline vec exp_of(vec x) {
    constexpr float shifter = 12582912.0f;  // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
    constexpr float most = 88.7228f, least = -87.3365f;
    vec const shifted = x * 1.44269504f + shifter;
    vec const n = shifted - shifter;
    vec const r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    vec p = splat(0.00138144615f);
    p = p * r + 0.00836878084f;
    p = p * r + 0.0416683928f;
    p = p * r + 0.166665196f;
    p = p * r + 0.499999940f;
    p = (p * r) * r + r + 1.0f;
    // 2ⁿ in two factors, since n reaches 128
    ivec const exponent =
        (ivec)((uvec)shifted - (uvec)splat(shifter));  // meaningless, but defined, for an x that is refused below
    ivec const half = exponent >> 1;
    vec const low = (vec)((half + 127) << 23), high = (vec)((exponent - half + 127) << 23);
    vec const y = p * low * high;
    vec const upper = x > most ? splat(__builtin_inff()) : y;
    return x < least ? vec{} : upper;
}

/// 1 / (1 + e⁻ˣ)
[[gnu::always_inline]] inline vec sigmoid(vec x) { return 1.0f / (1.0f + exp_of(-x)); }

/// erf to about 2 ulp: x·P₆(x²) below 1, and 1 − e^−Q₆(|x|) above; both minimax in relative error of erf.
[[gnu::always_inline]] inline vec erf_of(vec x) {
    vec const size = x < 0.0f ? -x : x, s = x * x;
    vec p = splat(7.85414955e-05f);
    p = p * s - 0.00080102880f;
    p = p * s + 0.00518833939f;
    p = p * s - 0.0268538184f;
    p = p * s + 0.112835854f;
    p = p * s - 0.376126260f;
    p = p * s + 1.12837911f;
    vec const t = size > 4.0f ? splat(4.0f) : size;  // erf(4) is 1 in float
    vec q = splat(-0.000186381643f);
    q = q * t + 0.00294768158f;
    q = q * t - 0.0218381546f;
    q = q * t + 0.103106938f;
    q = q * t + 0.638144612f;
    q = q * t + 1.12708926f;
    q = q * t + 0.000341494306f;
    vec const outer = 1.0f - exp_of(-q);
    vec const signed_outer = x < 0.0f ? -outer : outer;
    return size < 1.0f ? p * x : (x != x ? x : signed_outer);
}

/// tanh to about 3 ulp: u + u³ P₄(u²) below 0.625, minimax in relative error (5e-9), and 1 − 2 / (1 + e^2u) above.
[[gnu::always_inline]] inline vec tanh_of(vec u) {
    vec const size = u < 0.0f ? -u : u, s = u * u;
    vec p = splat(-0.005704988f);
    p = p * s + 0.020639088f;
    p = p * s - 0.053739715f;
    p = p * s + 0.13331442f;
    p = p * s - 0.3333328f;
    vec const inner = u + u * s * p, outer = 1.0f - 2.0f / (1.0f + exp_of(2.0f * size));
    return size < 0.625f ? inner : (u < 0.0f ? -outer : outer);
}

/// The bits of x rounded to bfloat16, to nearest, ties to even, in the upper half of the word; NaN stays NaN.
[[gnu::always_inline]] inline std::uint32_t rounded(float x) {
    std::uint32_t word;
    __builtin_memcpy(&word, &x, sizeof word);
    bool const is_nan = (word & 0x7FFFFFFFu) > 0x7F800000u;
    return (is_nan ? word | 0x400000u : word + 0x7FFFu + ((word >> 16) & 1u)) & 0xFFFF0000u;
}
