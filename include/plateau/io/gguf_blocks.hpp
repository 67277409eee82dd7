#pragma once
/// The tensor encodings of GGUF that plateau reads, and their values as float.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

/// One encoding: `elements` consecutive values of a row are stored in a block of `bytes` bytes.
struct gguf_encoding {
    std::uint32_t id;       ///< the number in the file (ggml_type)
    std::string_view name;  ///< as in gguf.GGMLQuantizationType
    index elements;
    index bytes;
    void (*decode)(std::byte const* source, index blocks, float* out);  ///< whole blocks to floats
};

/// The encoding with this number, or nullptr if it is not supported.
gguf_encoding const* find_gguf_encoding(std::uint32_t id);

/// The encoding of this name, which must be one of them.
gguf_encoding const* find_gguf_encoding(std::string_view name);

/// "F32, F16, ...", for messages.
std::string gguf_encoding_names();

namespace detail {

// Every decoder follows gguf.quants.dequantize (Python package gguf) operation by operation. All products
// are exact in float: a scale has 11 significant bits, times a sub-scale of at most 7, times a quant of at
// most 5 makes 23 of the 24. A multiply-add rounds once either way, so that the bits do not depend on
// whether a compiler fuses it.

inline float load_half(std::byte const* at) {
    float16 value;
    std::memcpy(&value.bits, at, sizeof value.bits);
    return static_cast<float>(value);
}

inline int load_byte(std::byte const* at) { return std::to_integer<int>(*at); }
inline int load_signed_byte(std::byte const* at) { return static_cast<std::int8_t>(load_byte(at)); }
inline int low_bits(std::byte const* at) { return load_byte(at) & 0x0F; }
inline int high_bits(std::byte const* at) { return load_byte(at) >> 4; }

inline std::uint32_t load_word(std::byte const* at) {
    std::uint32_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
}
/// Bit i of the word, where the fifth bit of a quant belongs.
inline int fifth_bit(std::uint32_t word, int i) { return static_cast<int>((word >> i) & 1u) << 4; }

inline void decode_f32(std::byte const* block, float* out) { std::memcpy(out, block, sizeof(float)); }

inline void decode_f16(std::byte const* block, float* out) { *out = load_half(block); }

inline void decode_bf16(std::byte const* block, float* out) {
    bfloat16 value;
    std::memcpy(&value.bits, block, sizeof value.bits);
    *out = static_cast<float>(value);
}

/// d, 16 bytes of quants: low halves are elements 0 to 15, high halves 16 to 31.   x = d (q − 8)
inline void decode_q4_0(std::byte const* block, float* out) {
    float const d = load_half(block);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>(low_bits(block + 2 + i) - 8);
        out[i + 16] = d * static_cast<float>(high_bits(block + 2 + i) - 8);
    }
}

/// d, m, quants as in Q4_0.   x = d q + m
inline void decode_q4_1(std::byte const* block, float* out) {
    float const d = load_half(block);
    float const m = load_half(block + 2);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>(low_bits(block + 4 + i)) + m;
        out[i + 16] = d * static_cast<float>(high_bits(block + 4 + i)) + m;
    }
}

/// d, 32 fifth bits, quants as in Q4_0.   x = d (q − 16)
inline void decode_q5_0(std::byte const* block, float* out) {
    float const d = load_half(block);
    std::uint32_t const fifth = load_word(block + 2);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>((low_bits(block + 6 + i) | fifth_bit(fifth, i)) - 16);
        out[i + 16] = d * static_cast<float>((high_bits(block + 6 + i) | fifth_bit(fifth, i + 16)) - 16);
    }
}

/// d, m, 32 fifth bits, quants as in Q4_0.   x = d q + m
inline void decode_q5_1(std::byte const* block, float* out) {
    float const d = load_half(block);
    float const m = load_half(block + 2);
    std::uint32_t const fifth = load_word(block + 4);
    for (int i = 0; i < 16; ++i) {
        out[i] = d * static_cast<float>(low_bits(block + 8 + i) | fifth_bit(fifth, i)) + m;
        out[i + 16] = d * static_cast<float>(high_bits(block + 8 + i) | fifth_bit(fifth, i + 16)) + m;
    }
}

/// d, 32 signed bytes.   x = d q
inline void decode_q8_0(std::byte const* block, float* out) {
    float const d = load_half(block);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(load_signed_byte(block + 2 + i));
}

/// d, dmin, 12 bytes with eight 6-bit scales s and minima m, 128 bytes of quants: each 32 bytes hold two
/// groups of 32 elements, low halves first.   x = (d s) q − dmin m
inline void decode_q4_k(std::byte const* block, float* out) {
    float const d = load_half(block);
    float const dmin = load_half(block + 2);
    std::byte const* const packed = block + 4;
    std::byte const* const quants = block + 16;
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
        std::byte const* const source = quants + group / 2 * 32;
        for (int i = 0; i < 32; ++i) {
            int const quant = group % 2 == 0 ? low_bits(source + i) : high_bits(source + i);
            out[group * 32 + i] = step * static_cast<float>(quant) - offset;
        }
    }
}

/// 128 bytes of low halves, 64 of upper bit pairs, 16 signed scales s, d.   x = (d s) (q − 32)
inline void decode_q6_k(std::byte const* block, float* out) {
    std::byte const* const scales = block + 192;
    float const d = load_half(block + 208);
    for (int group = 0; group < 8; ++group) {  // 32 elements: two scales
        std::byte const* const lower = block + group / 4 * 64 + group % 2 * 32;
        std::byte const* const upper = block + 128 + group / 4 * 32;
        bool const high_half = group % 4 >= 2;
        int const shift = group % 4 * 2;
        for (int i = 0; i < 32; ++i) {
            float const step = d * static_cast<float>(load_signed_byte(scales + group * 2 + i / 16));
            int const low = high_half ? high_bits(lower + i) : low_bits(lower + i);
            int const quant = low | (((load_byte(upper + i) >> shift) & 3) << 4);
            out[group * 32 + i] = step * static_cast<float>(quant - 32);
        }
    }
}

template <void (*Decode)(std::byte const*, float*), index Elements, index Bytes>
constexpr gguf_encoding make_encoding(std::uint32_t id, std::string_view name) {
    return {id, name, Elements, Bytes, [](std::byte const* source, index blocks, float* out) {
                for (index block = 0; block < blocks; ++block) Decode(source + block * Bytes, out + block * Elements);
            }};
}

inline constexpr std::array gguf_encodings{
    make_encoding<decode_f32, 1, 4>(0, "F32"),        make_encoding<decode_f16, 1, 2>(1, "F16"),
    make_encoding<decode_bf16, 1, 2>(30, "BF16"),     make_encoding<decode_q4_0, 32, 18>(2, "Q4_0"),
    make_encoding<decode_q4_1, 32, 20>(3, "Q4_1"),    make_encoding<decode_q5_0, 32, 22>(6, "Q5_0"),
    make_encoding<decode_q5_1, 32, 24>(7, "Q5_1"),    make_encoding<decode_q8_0, 32, 34>(8, "Q8_0"),
    make_encoding<decode_q4_k, 256, 144>(12, "Q4_K"), make_encoding<decode_q6_k, 256, 210>(14, "Q6_K"),
};

}  // namespace detail

inline gguf_encoding const* find_gguf_encoding(std::uint32_t id) {
    for (auto const& encoding : detail::gguf_encodings) {
        if (encoding.id == id) return &encoding;
    }
    return nullptr;
}

inline gguf_encoding const* find_gguf_encoding(std::string_view name) {
    for (auto const& encoding : detail::gguf_encodings) {
        if (encoding.name == name) return &encoding;
    }
    return nullptr;
}

inline std::string gguf_encoding_names() {
    std::string names;
    for (auto const& encoding : detail::gguf_encodings)
        names = concat({names, names.empty() ? "" : ", ", encoding.name});
    return names;
}

}  // namespace plateau::io
