#pragma once
/// Bodies of io/safetensors_file.hpp.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>
#include <utility>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/safetensors_file.hpp>
#include <plateau/io/safetensors_header.hpp>
#include <plateau/io/tensor_table.hpp>
#include <plateau/io/torch_tensors.hpp>

namespace plateau::io {

PLATEAU_INLINE safetensors_file::safetensors_file(std::filesystem::path const& path) : file_{path} {
    if (is_torch_file(file_.bytes()) || path.extension() == ".bin") {
        auto read = read_torch_tensors(file_.bytes(), path.string());
        header_.tensors = std::move(read.tensors);
        gathered_ = std::move(read.gathered);
    } else {
        header_ = parse_safetensors_header(file_.bytes(), path.string());
    }
}

PLATEAU_INLINE std::span<std::byte const> safetensors_file::bytes_of(stored_tensor const& at) const {
    auto const mapped = file_.bytes();
    if (gathered_.empty() || at.begin < mapped.size()) return mapped.subspan(at.begin, at.size);
    return std::span{gathered_}.subspan(at.begin - mapped.size(), at.size);
}

PLATEAU_INLINE dtype safetensors_file::stored_type(stored_tensor const& at) const {
    if (auto const stored = safetensors_dtype(at.info.stored)) return *stored;
    throw file_error(table().describe(at), " is stored as ", at.info.stored, "; weights must be F64, F32, F16 or BF16");
}

}  // namespace plateau::io
