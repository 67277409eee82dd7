#pragma once
/// Bodies of io/gguf_blocks.hpp.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf_blocks.hpp>

namespace plateau::io {

namespace detail {

// Every decoder follows gguf.quants.dequantize (Python package gguf) operation by operation. All products
// are exact in float: a scale has 11 significant bits, times a sub-scale of at most 7, times a quant of at
// most 5 makes 23 of the 24. A multiply-add rounds once either way, so that the bits do not depend on
// whether a compiler fuses it.

PLATEAU_INLINE_HOT float load_half(std::byte const* at) {
    float16 value;
    std::memcpy(&value.bits, at, sizeof value.bits);
    return static_cast<float>(value);
}

/// Bytes of a block, apart from it: a loop that reads them and writes floats knows that the two do not overlap, and
/// becomes vector instructions at -O2 already.
template <int Count>
struct byte_copy {
    std::uint8_t bytes[Count];
    explicit byte_copy(std::byte const* at) { std::memcpy(bytes, at, Count); }
    int operator[](int i) const { return bytes[i]; }
    int low(int i) const { return bytes[i] & 0x0F; }
    int high(int i) const { return bytes[i] >> 4; }
};

PLATEAU_INLINE_HOT int load_byte(std::byte const* at) { return std::to_integer<int>(*at); }

PLATEAU_INLINE_HOT int load_signed_byte(std::byte const* at) { return static_cast<std::int8_t>(load_byte(at)); }

PLATEAU_INLINE_HOT int low_bits(std::byte const* at) { return load_byte(at) & 0x0F; }

PLATEAU_INLINE_HOT int high_bits(std::byte const* at) { return load_byte(at) >> 4; }

/// The bits of a word, each where the fifth bit of a quant belongs.
struct fifth_bits {
    static constexpr auto masks = [] {  // a vector has no shift of its own for every element
        std::array<std::uint32_t, 32> each{};
        for (std::size_t i = 0; i < 32; ++i) each[i] = 1u << i;
        return each;
    }();
    int values[32];
    explicit fifth_bits(std::byte const* at) {
        std::uint32_t word;
        std::memcpy(&word, at, sizeof word);
        for (int i = 0; i < 32; ++i) values[i] = (word & masks[i]) != 0 ? 16 : 0;
    }
    int operator[](int i) const { return values[i]; }
};

/// d, 16 bytes of quants: low halves are elements 0 to 15, high halves 16 to 31.   x = d (q − 8)
PLATEAU_INLINE_HOT void decode_q4_0(std::byte const* block, float* out) {
    float const d = load_half(block);
    byte_copy<16> const quants{block + 2};
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(quants.low(i) - 8);
    for (int i = 0; i < 16; ++i) out[i + 16] = d * static_cast<float>(quants.high(i) - 8);
}

/// d, m, quants as in Q4_0.   x = d q + m
PLATEAU_INLINE_HOT void decode_q4_1(std::byte const* block, float* out) {
    float const d = load_half(block);
    float const m = load_half(block + 2);
    byte_copy<16> const quants{block + 4};
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(quants.low(i)) + m;
    for (int i = 0; i < 16; ++i) out[i + 16] = d * static_cast<float>(quants.high(i)) + m;
}

/// d, 32 fifth bits, quants as in Q4_0.   x = d (q − 16)
PLATEAU_INLINE_HOT void decode_q5_0(std::byte const* block, float* out) {
    float const d = load_half(block);
    fifth_bits const fifth{block + 2};
    byte_copy<16> const quants{block + 6};
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>((quants.low(i) | fifth[i]) - 16);
    for (int i = 0; i < 16; ++i) out[i + 16] = d * static_cast<float>((quants.high(i) | fifth[i + 16]) - 16);
}

/// d, m, 32 fifth bits, quants as in Q4_0.   x = d q + m
PLATEAU_INLINE_HOT void decode_q5_1(std::byte const* block, float* out) {
    float const d = load_half(block);
    float const m = load_half(block + 2);
    fifth_bits const fifth{block + 4};
    byte_copy<16> const quants{block + 8};
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(quants.low(i) | fifth[i]) + m;
    for (int i = 0; i < 16; ++i) out[i + 16] = d * static_cast<float>(quants.high(i) | fifth[i + 16]) + m;
}

/// d, 32 signed bytes.   x = d q
PLATEAU_INLINE_HOT void decode_q8_0(std::byte const* block, float* out) {
    float const d = load_half(block);
    byte_copy<32> const quants{block + 2};
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<std::int8_t>(quants[i]));
}

/// 16 bytes of scales s (low halves) and minima m, 64 of quants: each 32 bytes hold four groups of 32 elements, lowest
/// bits first; d, dmin.   x = (d s) q − dmin m
PLATEAU_INLINE_HOT void decode_q2_k(std::byte const* block, float* out) {
    float const d = load_half(block + 80);
    float const dmin = load_half(block + 82);
    for (int half = 0; half < 16; ++half) {  // 16 elements with one scale; two halves make a group
        int const group = half / 2, shift = group % 4 * 2;
        byte_copy<16> const quants{block + 16 + group / 4 * 32 + half % 2 * 16};
        float const step = d * static_cast<float>(low_bits(block + half));
        float const offset = dmin * static_cast<float>(high_bits(block + half));
        float* const to = out + half * 16;
        for (int i = 0; i < 16; ++i) to[i] = step * static_cast<float>((quants[i] >> shift) & 3) - offset;
    }
}

/// 32 bytes of third bits, one for each group; 64 of quants as in Q2_K; 12 with sixteen 6-bit scales s, whose upper two
/// bits are the last four; d.   x = d (s − 32) (q − 4)
PLATEAU_INLINE_HOT void decode_q3_k(std::byte const* block, float* out) {
    std::byte const* const scales = block + 96;
    float const d = load_half(block + 108);
    for (int half = 0; half < 16; ++half) {
        int const group = half / 2, shift = group % 4 * 2;
        byte_copy<16> const third{block + half % 2 * 16};
        byte_copy<16> const quants{block + 32 + group / 4 * 32 + half % 2 * 16};
        int const low = (load_byte(scales + half % 8) >> (half / 8 * 4)) & 0x0F;
        int const high = (load_byte(scales + 8 + half % 4) >> (half / 4 * 2)) & 3;
        float const step = d * static_cast<float>((low | (high << 4)) - 32);
        float* const to = out + half * 16;
        for (int i = 0; i < 16; ++i) {
            int const quant = ((quants[i] >> shift) & 3) | (((third[i] >> group) & 1) << 2);
            to[i] = step * static_cast<float>(quant - 4);
        }
    }
}

/// d, dmin, 12 bytes with eight 6-bit scales s and minima m; of Q5_K 32 bytes of fifth bits, one for each group; 128
/// bytes of quants: each 32 bytes hold two groups of 32 elements, low halves first.   x = (d s) q − dmin m
/// @param fifths  null of Q4_K
PLATEAU_INLINE_HOT void decode_by_minima(std::byte const* block, std::byte const* fifths, std::byte const* quants,
                                         float* out) {
    float const d = load_half(block);
    float const dmin = load_half(block + 2);
    std::byte const* const packed = block + 4;
    for (int group = 0; group < 8; ++group) {
        int const j = group % 4;
        int scale = load_byte(packed + j);
        int minimum = load_byte(packed + 4 + j);
        if (group < 4) {
            scale &= 0x3F;
            minimum &= 0x3F;
        } else {
            scale = low_bits(packed + 8 + j) | ((scale >> 2) & 0x30);
            minimum = high_bits(packed + 8 + j) | ((minimum >> 2) & 0x30);
        }
        float const step = d * static_cast<float>(scale);
        float const offset = dmin * static_cast<float>(minimum);
        byte_copy<32> const pairs{quants + group / 2 * 32};
        int const shift = group % 2 * 4;
        float* const to = out + group * 32;
        if (fifths == nullptr) {
            for (int i = 0; i < 32; ++i) to[i] = step * static_cast<float>((pairs[i] >> shift) & 0x0F) - offset;
            continue;
        }
        byte_copy<32> const fifth{fifths};
        for (int i = 0; i < 32; ++i) {
            int const quant = ((pairs[i] >> shift) & 0x0F) | (((fifth[i] >> group) & 1) << 4);
            to[i] = step * static_cast<float>(quant) - offset;
        }
    }
}

PLATEAU_INLINE_HOT void decode_q4_k(std::byte const* block, float* out) {
    decode_by_minima(block, nullptr, block + 16, out);
}

PLATEAU_INLINE_HOT void decode_q5_k(std::byte const* block, float* out) {
    decode_by_minima(block, block + 16, block + 48, out);
}

/// 128 bytes of low halves, 64 of upper bit pairs, 16 signed scales s, d.   x = (d s) (q − 32)
PLATEAU_INLINE_HOT void decode_q6_k(std::byte const* block, float* out) {
    std::byte const* const scales = block + 192;
    float const d = load_half(block + 208);
    for (int half = 0; half < 16; ++half) {  // 16 elements with one scale; two halves make a group
        int const group = half / 2;
        byte_copy<16> const lower{block + group / 4 * 64 + group % 2 * 32 + half % 2 * 16};
        byte_copy<16> const upper{block + 128 + group / 4 * 32 + half % 2 * 16};
        int const lower_shift = group % 4 / 2 * 4, upper_shift = group % 4 * 2;
        float const step = d * static_cast<float>(load_signed_byte(scales + half));
        float* const to = out + half * 16;
        for (int i = 0; i < 16; ++i) {
            int const quant = ((lower[i] >> lower_shift) & 0x0F) | (((upper[i] >> upper_shift) & 3) << 4);
            to[i] = step * static_cast<float>(quant - 32);
        }
    }
}

/// What the quants of IQ4_NL and IQ4_XS stand for.
inline constexpr std::array<float, 16> iq4_levels{-127, -104, -83, -65, -49, -35, -22, -10,
                                                  1,    13,   25,  38,  53,  69,  89,  113};

PLATEAU_INLINE_HOT void decode_iq4_levels(float step, std::byte const* at, float* out) {
    for (std::size_t i = 0; i < 16; ++i) {
        auto const pair = std::to_integer<std::size_t>(at[i]);
        out[i] = step * iq4_levels[pair & 0x0F];
        out[i + 16] = step * iq4_levels[pair >> 4];
    }
}

/// d, quants as in Q4_0.   x = d level(q)
PLATEAU_INLINE_HOT void decode_iq4_nl(std::byte const* block, float* out) {
    decode_iq4_levels(load_half(block), block + 2, out);
}

/// d; the upper two and lower four bits of eight scales s; eight groups of quants as in Q4_0.   x = d (s − 32) level(q)
PLATEAU_INLINE_HOT void decode_iq4_xs(std::byte const* block, float* out) {
    float const d = load_half(block);
    for (int group = 0; group < 8; ++group) {
        int const high = (load_byte(block + 2 + group / 4) >> (group % 4 * 2)) & 3;
        int const low = (load_byte(block + 4 + group / 2) >> (group % 2 * 4)) & 0x0F;
        float const step = d * static_cast<float>((low | (high << 4)) - 32);
        decode_iq4_levels(step, block + 8 + group * 16, out + group * 32);
    }
}

template <void (*Decode)(std::byte const*, float*), index Elements, index Bytes>
constexpr gguf_encoding make_encoding(std::uint32_t id, std::string_view name) {
    return {id, name, Elements, Bytes, std::nullopt, [](std::byte const* source, index blocks, float* out) {
                for (index block = 0; block < blocks; ++block) Decode(source + block * Bytes, out + block * Elements);
            }};
}

inline constexpr std::array gguf_encodings{
    gguf_encoding{0, "F32", 1, 4, dtype::f32, {}},      gguf_encoding{1, "F16", 1, 2, dtype::f16, {}},
    gguf_encoding{30, "BF16", 1, 2, dtype::bf16, {}},   gguf_encoding{28, "F64", 1, 8, dtype::f64, {}},
    make_encoding<decode_q4_0, 32, 18>(2, "Q4_0"),      make_encoding<decode_q4_1, 32, 20>(3, "Q4_1"),
    make_encoding<decode_q5_0, 32, 22>(6, "Q5_0"),      make_encoding<decode_q5_1, 32, 24>(7, "Q5_1"),
    make_encoding<decode_q8_0, 32, 34>(8, "Q8_0"),      make_encoding<decode_q2_k, 256, 84>(10, "Q2_K"),
    make_encoding<decode_q3_k, 256, 110>(11, "Q3_K"),   make_encoding<decode_q4_k, 256, 144>(12, "Q4_K"),
    make_encoding<decode_q5_k, 256, 176>(13, "Q5_K"),   make_encoding<decode_q6_k, 256, 210>(14, "Q6_K"),
    make_encoding<decode_iq4_nl, 32, 18>(20, "IQ4_NL"), make_encoding<decode_iq4_xs, 256, 136>(23, "IQ4_XS"),
};

/// The names of ggml_type by number, as in ggml.h; numbers that were given up too.
inline constexpr std::string_view ggml_type_names =
    "F32 F16 Q4_0 Q4_1 Q4_2 Q4_3 Q5_0 Q5_1 Q8_0 Q8_1 Q2_K Q3_K Q4_K Q5_K Q6_K Q8_K IQ2_XXS IQ2_XS IQ3_XXS IQ1_S IQ4_NL "
    "IQ3_S IQ2_S IQ4_XS I8 I16 I32 I64 F64 IQ1_M BF16 Q4_0_4_4 Q4_0_4_8 Q4_0_8_8 TQ1_0 TQ2_0 IQ4_NL_4_4 IQ4_NL_4_8 "
    "IQ4_NL_8_8 MXFP4 NVFP4 Q1_0 Q2_0 ";

}  // namespace detail

PLATEAU_INLINE_HOT gguf_encoding const* find_gguf_encoding(std::uint32_t id) {
    for (auto const& encoding : detail::gguf_encodings) {
        if (encoding.id == id) return &encoding;
    }
    return nullptr;
}

PLATEAU_INLINE_HOT gguf_encoding const* find_gguf_encoding(std::string_view name) {
    for (auto const& encoding : detail::gguf_encodings) {
        if (encoding.name == name) return &encoding;
    }
    return nullptr;
}

PLATEAU_INLINE std::string refusal_of_gguf_type(std::uint32_t id) {
    auto left = detail::ggml_type_names;
    for (std::uint32_t i = 0; i < id && !left.empty(); ++i) left.remove_prefix(left.find(' ') + 1);
    std::string names;
    for (auto const& encoding : detail::gguf_encodings)
        names = concat({names, names.empty() ? "" : ", ", encoding.name});
    return concat({"is stored as ", left.empty() ? "an unknown type" : left.substr(0, left.find(' ')), " (type number ",
                   id,
                   "), which is not supported: quantise the model as Q8_0 (llama-quantize --allow-requantize "
                   "IN.gguf OUT.gguf Q8_0), or convert its Hugging Face folder with convert_hf_to_gguf.py --outtype "
                   "bf16; supported are ",
                   names});
}

}  // namespace plateau::io
