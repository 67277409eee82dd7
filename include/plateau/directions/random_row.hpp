#pragma once
/// One of many given directions.

#include <span>
#include <vector>

#include <plateau/directions/concepts.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::directions {

/// Whether a direction given up to its sign is taken as it is.
enum class row_sign {
    as_given,  ///< decoder rows of sparse autoencoders: more of the feature
    random,    ///< principal components: neither sign is the natural one
};

/// A random row of a matrix [F, D], kept as a view: decoder rows, principal components, any dictionary.
/// @throws shape_error if F = 0, or rows have not a's length
template <class U>
struct random_row {
    tensor::view<U const, 2> rows;
    row_sign sign = row_sign::as_given;

    template <class T>
    std::vector<double> operator()(std::span<T const> a, counter_rng& rng) const {
        if (rows.extent(0) < 1) throw shape_error("a direction is to be drawn from a matrix without rows");
        tensor::require_extents(rows.extents(), {rows.extent(0), static_cast<index>(a.size())},
                                "the matrix of directions");
        auto const row = rows[static_cast<index>(rng.below(static_cast<std::uint64_t>(rows.extent(0))))].flat();
        std::vector<double> result(row.begin(), row.end());
        if (sign == row_sign::random && rng.below(2) == 1) {
            for (double& x : result) x = -x;
        }
        return result;
    }
};

static_assert(Direction<random_row<double>, float>);

}  // namespace plateau::directions
