#pragma once
/// Weighted sums of vectors, formed in double and rounded once: the points of all paths.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

#include <plateau/core/error.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::paths {

/// A vector with its weight. @tparam T  element type of the vector
template <class T>
struct term {
    double weight;
    std::span<T const> vector;
};

/// out = Σ_k w_k x_k, formed in double and rounded once.
/// @param out  [D]      @param terms  vectors [D]
/// @post if one weight is 1 and all others are 0, that vector bit for bit (if it is of out's type). O(D), no allocation
/// @throws shape_error if out has another length
template <class T, class... U>
void weighted_sum(std::span<T> out, term<U> const&... terms) {
    ((void)(terms.vector.size() == out.size() ||
            (throw shape_error("the point of this path has length ", terms.vector.size(), ", not ", out.size()),
             false)),
     ...);
    int others = 0;
    ((others += terms.weight != 0 && terms.weight != 1), ...);
    int ones = 0;
    ((ones += terms.weight == 1), ...);
    if (others == 0 && ones == 1) {  // a sum with zeros would turn −0 into 0
        auto const copy = [&](auto const& one) {
            if (one.weight == 1) {
                std::transform(one.vector.begin(), one.vector.end(), out.begin(),
                               [](auto x) { return static_cast<T>(x); });
            }
        };
        (copy(terms), ...);
        return;
    }
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = static_cast<T>((... + (terms.weight * static_cast<double>(terms.vector[i]))));
    }
}

/// Euclidean norm. @throws domain_error, naming `what`, if it is zero or no finite number
template <class T>
double length_of(std::span<T> vector, char const* what) {
    double const length = std::sqrt(tensor::dot(vector, vector));
    if (!(length > 0) || std::isinf(length)) {
        throw domain_error(
            what, length == 0 ? " is the zero vector, which has no direction" : " has a norm that is no finite number");
    }
    return length;
}

/// @throws shape_error naming the path unless all lengths are equal
template <class... Spans>
void require_equal_lengths(char const* path, std::size_t length, Spans const&... spans) {
    ((void)(spans.size() == length ||
            (throw shape_error(path, " needs vectors of equal length, got ", length, " and ", spans.size()), false)),
     ...);
}

}  // namespace plateau::paths
