#pragma once
/// Real numbers of NPY files, whatever their precision.

#include <filesystem>
#include <utility>

#include <plateau/io/npy.hpp>

namespace plateau::io {

/// The elements of an array of float32 or float64, as doubles. @throws file_error if it holds something else
inline npy_data<double> read_numbers(std::filesystem::path const& path) {
    auto const stored = read_npy(path);
    if (stored.descr != npy_descr<float>) return typed<double>(stored, path.string());
    auto const single = typed<float>(stored, path.string());
    return {single.shape, {single.values.begin(), single.values.end()}};
}

}  // namespace plateau::io
