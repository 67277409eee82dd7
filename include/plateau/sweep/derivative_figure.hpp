#pragma once
/// The picture of derivatives along paths: slopes, and the basin statistic of each set of constant parts.

#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sweep/path_derivatives.hpp>
#include <plateau/viz/quartile_curve.hpp>

namespace plateau::sweep {

/// Quartiles over pairs at every α. @param names  of the sets, [K]
template <class T>
std::vector<viz::labelled_panel> derivative_panels(path_derivatives<T> const& found,
                                                   std::vector<std::string> const& names) {
    viz::labelled_panel slope{"slope", {"α"}, {"d'(α) / d(1)"}, {}, {{1, false, false, "a straight line"}}};
    slope.curves.push_back(viz::quartile_curve("", found.alpha, found.slope.flat()));
    std::vector<viz::labelled_panel> panels{std::move(slope)};
    if (names.empty()) return panels;
    viz::labelled_panel statistic{"basin statistic", {"α"}, {"ln |J_S u| − ln |J u|"}, {}, {{0}}};
    auto const basin = found.basin();
    auto const each = static_cast<std::size_t>(found.slope.size());
    for (std::size_t k = 0; k < names.size(); ++k) {
        statistic.curves.push_back(
            viz::quartile_curve(names[k], found.alpha, std::span{basin}.subspan(k * each, each)));
    }
    panels.push_back(std::move(statistic));
    return panels;
}

}  // namespace plateau::sweep
