#pragma once
/// A number of pairs that lie in one region beside that of pairs that are apart.

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/pair_design.hpp>

namespace plateau::sweep {

/// Medians of both groups, and by how much pairs apart have more.
struct region_comparison {
    index pairs = 0;  ///< in one region
    statistics::estimate together = {}, apart = {}, difference = {};

    /// A line of a report. @param what  the number is
    std::string text(std::string const& what) const {
        auto const shown = [](statistics::estimate const& x) { return statistics::with_interval(x, 3); };
        return what + concat({": in one region (", pairs, " pairs) "}) + shown(together) + ", apart " + shown(apart) +
               ", difference " + shown(difference) + "\n";
    }
};

/// @param values  [P]      @param same  [P] 1 for one region, 0 for apart, NaN for neither
/// @post a difference without an interval where a resample may have one group alone
inline region_comparison compare_regions(pair_design const& design, std::vector<double> const& values,
                                         std::vector<double> const& same) {
    using pair_value = std::array<double, 2>;
    std::vector<double> groups[2];
    std::vector<pair_value> both;
    region_comparison found;
    for (std::size_t p = 0; p < values.size(); ++p) {
        for (int group = 0; group < 2; ++group)
            groups[group].push_back(same[p] == group ? values[p] : std::numeric_limits<double>::quiet_NaN());
        found.pairs += same[p] == 1;
        both.push_back({values[p], same[p]});
    }
    auto const difference = [](std::span<pair_value const> of) {
        std::vector<double> apart, together;
        for (auto const& [value, one_region] : of) {
            if (!std::isnan(one_region)) (one_region == 1 ? together : apart).push_back(value);
        }
        return statistics::median(apart) - statistics::median(together);
    };
    found.together = design.median(groups[1]);
    found.apart = design.median(groups[0]);
    found.difference = design.interval(std::span<pair_value const>{both}, difference);
    return found;
}

}  // namespace plateau::sweep
