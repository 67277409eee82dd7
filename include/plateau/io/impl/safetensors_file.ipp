#pragma once
/// Bodies of io/safetensors_file.hpp.

#include <cstddef>
#include <span>
#include <string_view>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/safetensors_file.hpp>
#include <plateau/io/safetensors_header.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

PLATEAU_INLINE std::span<std::byte const> safetensors_file::bytes(std::string_view name) const {
    auto const& at = table().at(name);
    return file_.bytes().subspan(at.begin, at.size);
}

PLATEAU_INLINE dtype safetensors_file::stored_type(stored_tensor const& at) const {
    if (auto const stored = safetensors_dtype(at.info.stored)) return *stored;
    throw file_error(table().describe(at), " is stored as ", at.info.stored, "; weights must be F64, F32, F16 or BF16");
}

}  // namespace plateau::io
