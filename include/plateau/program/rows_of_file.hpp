#pragma once
/// Vectors of one's own from an NPY file.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/io/npy_numbers.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::program {

/// Rows of an NPY file [width], [N, width] or [P, N, width]. @param option  that names the file, for messages
/// @throws usage_error on another shape or values that are not finite; file_error
template <class T>
tensor::buffer<T, 2> rows_of_file(std::string const& option, std::string const& file, index width) {
    if (!std::filesystem::exists(file)) throw usage_error(option, " ", file, ": there is no such file");
    auto const array = io::read_numbers(file);
    if (array.shape.empty() || array.shape.size() > 3 || array.shape.back() != width || array.values.empty()) {
        throw usage_error(option, " ", file, ": must have the shape [", width, "] or [N,", width, "]");
    }
    tensor::buffer<T, 2> rows({static_cast<index>(array.values.size()) / width, width});
    std::transform(array.values.begin(), array.values.end(), rows.data(), [](double x) { return static_cast<T>(x); });
    for (T const value : rows.flat()) {
        if (!std::isfinite(value)) throw usage_error(option, " ", file, ": a value is not finite");
    }
    return rows;
}

/// Rows as wide as a site of a model; none without a file. @throws as rows_of_file; site_error
template <class T>
tensor::buffer<T, 2> rows_at_site(model<T> const& model, std::string const& site, std::string const& option,
                                  std::string const& file) {
    auto const at = hooks::find_site(model.sites(), site);
    return file.empty() ? tensor::buffer<T, 2>{} : rows_of_file<T>(option, file, at.heads * at.width);
}

}  // namespace plateau::program
