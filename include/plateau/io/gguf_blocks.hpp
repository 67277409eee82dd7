#pragma once
/// The tensor encodings of GGUF that plateau reads, and the decoding of their blocks to float.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

/// One encoding: `elements` consecutive values of a row are stored in a block of `bytes` bytes.
struct gguf_encoding {
    std::uint32_t id;       ///< the number in the file (ggml_type)
    std::string_view name;  ///< as in gguf.GGMLQuantizationType
    index elements;
    index bytes;
    std::optional<dtype> number;  ///< set if every element is stored by itself, as a number of this type; else
    void (*decode)(std::byte const* source, index blocks, float* out);  ///< whole blocks to floats
};

/// The encoding with this number, or nullptr if it is not supported.
gguf_encoding const* find_gguf_encoding(std::uint32_t id);

/// The encoding of this name, which must be one of them.
gguf_encoding const* find_gguf_encoding(std::string_view name);

/// "is stored as IQ2_S (type number 22), which is not supported: …", with the way out, of a number without an encoding.
std::string refusal_of_gguf_type(std::uint32_t id);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_blocks.ipp>
#endif
