#pragma once
/// Curves of pairs as CSV.

#include <span>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/csv.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// S lines `pair,context,other,alpha,distance,relative` for each of some pairs, below a head line if they are the
/// first.
/// @param first  number of the first of these pairs      @param distances,relative  [n,S] of n pairs from it on
/// @throws file_error
inline void write_csv(std::vector<prompt_pair> const& pairs, index first, std::vector<double> const& alpha,
                      tensor::buffer<double, 2> const& distances, std::vector<double> const& relative,
                      atomic_file& to) {
    if (first == 0) to.write("pair,context,other,alpha,distance,relative\n");
    for (index p = 0; p < distances.extent(0); ++p) {
        auto const& pair = pairs[static_cast<std::size_t>(first + p)];
        for (std::size_t i = 0; i < alpha.size(); ++i) {
            to.write(csv_line(first + p, pair.context, pair.other(), alpha[i], distances(p, static_cast<index>(i)),
                              relative[static_cast<std::size_t>(p) * alpha.size() + i]));
        }
    }
}

}  // namespace plateau::sweep
