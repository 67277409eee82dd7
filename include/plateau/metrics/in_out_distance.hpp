#pragma once
/// Distances of two activations at the write site and at the read site.

#include <limits>
#include <span>

#include <plateau/metrics/l2_distance.hpp>

namespace plateau::metrics {

struct in_out_distance {
    double in;   ///< ‖A − B‖ at the write site
    double out;  ///< ‖F(A) − F(B)‖ at the read site

    /// out / in; NaN if in = 0.
    double ratio() const { return in > 0 ? out / in : std::numeric_limits<double>::quiet_NaN(); }
};

/// Distances of a pair. `statistics::binned_medians` draws them against each other.
/// @param a,b  [D]      @param out_a,out_b  [E]      @throws shape_error on unequal lengths
/// @see Janiak et al. 2024, code (in/out distance)
template <class T>
in_out_distance in_out_distance_of(std::span<T const> a, std::span<T const> b, std::span<T const> out_a,
                                   std::span<T const> out_b) {
    return {l2_distance(a, b), l2_distance(out_a, out_b)};
}

}  // namespace plateau::metrics
