#pragma once
/// The direction from one kind of activation to another.

#include <cstddef>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::directions {

/// mean of `to` − mean of `from`. @param to,from  [n, D], [m, D], n, m >= 1; in double      @throws shape_error
template <class T>
std::vector<double> difference_of_means(tensor::view<T const, 2> to, tensor::view<T const, 2> from) {
    tensor::require_extents(from.extents(), {from.extent(0), to.extent(1)}, "the second set of activations");
    if (to.extent(0) < 1 || from.extent(0) < 1)
        throw shape_error("a mean needs at least one activation of either kind");
    std::vector<double> result(static_cast<std::size_t>(to.extent(1)));
    auto const add = [&](tensor::view<T const, 2> rows, double weight) {
        for (index r = 0; r < rows.extent(0); ++r) {
            for (std::size_t i = 0; i < result.size(); ++i)
                result[i] += weight * static_cast<double>(rows(r, static_cast<index>(i)));
        }
    };
    add(to, 1 / static_cast<double>(to.extent(0)));
    add(from, -1 / static_cast<double>(from.extent(0)));
    return result;
}

}  // namespace plateau::directions
