#pragma once
/// Real numbers of NPY files, whatever their precision.

#include <filesystem>
#include <utility>

#include <plateau/io/npy.hpp>

namespace plateau::io {

/// The elements of an array of float32 or float64, as doubles. @throws usage_error if it holds something else;
/// file_error
inline npy_data<double> read_numbers(std::filesystem::path const& path) {
    auto const stored = read_npy(path);
    if (stored.descr == npy_descr<double>) return typed<double>(stored, path.string());
    if (stored.descr != npy_descr<float>) {
        throw usage_error(path.string(), ": the array holds '", stored.descr,
                          "', expected numbers; save float32 or float64");
    }
    auto const single = typed<float>(stored, path.string());
    return {single.shape, {single.values.begin(), single.values.end()}};
}

}  // namespace plateau::io
