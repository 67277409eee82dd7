#pragma once
/// The element of the largest magnitude of a matrix.

#include <algorithm>
#include <cmath>

#include <plateau/tensor/view.hpp>

namespace plateau::metrics {

struct matrix_element {
    index row, column;
    double value;
};

/// The first of them, row by row. @pre the matrix has elements
inline matrix_element largest_element(tensor::view<double const, 2> matrix) {
    auto const flat = matrix.flat();
    auto const at = std::ranges::max_element(flat, {}, [](double x) { return std::abs(x); }) - flat.begin();
    return {at / matrix.extent(1), at % matrix.extent(1), flat[static_cast<std::size_t>(at)]};
}

}  // namespace plateau::metrics
