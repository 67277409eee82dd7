#pragma once
/// Curves of pairs as CSV.

#include <span>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/csv.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::sweep {

/// P × S lines `pair,context,other,alpha,distance,relative` below a head line. @param distances  [P,S], those of
/// `curves`
/// @throws file_error
inline void write_csv(std::vector<prompt_pair> const& pairs, tensor::buffer<double, 2> const& distances,
                      transitions const& curves, atomic_file& to) {
    to.write("pair,context,other,alpha,distance,relative\n");
    for (index p = 0; p < curves.count(); ++p) {
        auto const& pair = pairs[static_cast<std::size_t>(p)];
        auto const relative = curves.curve(p);
        for (std::size_t i = 0; i < relative.size(); ++i) {
            to.write(csv_line(p, pair.context, pair.other(), curves.alpha[i], distances(p, static_cast<index>(i)),
                              relative[i]));
        }
    }
}

}  // namespace plateau::sweep
