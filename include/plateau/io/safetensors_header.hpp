#pragma once
/// The header of a safetensors file: where each tensor lies, checked before anything is read.
///     u64 little-endian n | n bytes of JSON | data
/// @see https://github.com/huggingface/safetensors#format

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

struct safetensors_header {
    tensor_table tensors;
    std::vector<std::pair<std::string, std::string>> metadata;  ///< the strings under "__metadata__"
};

/// The dtype of a stored type that can be read as numbers: "F64", "F32", "F16", "BF16"; nothing for the
/// others ("I64", "BOOL", ...), which appear in files as legacy buffers only.
std::optional<dtype> safetensors_dtype(std::string_view stored);

/// Reads and checks the header. Accepted is what the format's reference implementation accepts: the
/// tensors tile the data area without gap, overlap or remainder, each in the size that its type and
/// shape ask for.
/// @param file   the bytes of the whole file
/// @param where  the file, for messages
/// @throws file_error that says what is wrong, and with which tensor
safetensors_header parse_safetensors_header(std::span<std::byte const> file, std::string const& where);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/safetensors_header.ipp>
#endif
