#pragma once
/// Scores of a predictor: how near to the jumps that were found it places them.

#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include <plateau/statistics/correlation.hpp>
#include <plateau/sweep/pair_design.hpp>

namespace plateau::sweep {

/// How good a predictor is, each number with its interval.
struct jump_score {
    statistics::estimate error{};        ///< mean of |predicted − found|, in α
    statistics::estimate rms{};          ///< root of the mean of its square
    statistics::estimate side{};         ///< share of pairs with both on the same side of 1/2
    statistics::estimate correlation{};  ///< Pearson's
    index count = 0;                     ///< of pairs that have both
};

/// @param predicted,found  [P] places in α, NaN where there is none      @param use  [P] pairs that count
/// @post a pair that does not count keeps its place: of a chain the neighbours matter
inline jump_score score_of(pair_design const& design, std::vector<double> const& predicted,
                           std::vector<double> const& found, std::vector<bool> const& use) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    using both = std::array<double, 2>;
    std::vector<both> points;
    jump_score s;
    for (std::size_t p = 0; p < found.size(); ++p) {
        bool const known = use[p] && !std::isnan(predicted[p]) && !std::isnan(found[p]);
        points.push_back(known ? both{predicted[p], found[p]} : both{nan, nan});
        s.count += known;
    }
    auto const estimate_of = [&](auto const& statistic) {
        return design.interval(std::span<both const>{points}, [&](std::span<both const> drawn) {
            std::vector<both> known;
            for (auto const& one : drawn) {
                if (!std::isnan(one[0])) known.push_back(one);
            }
            return known.empty() ? nan : statistic(known);
        });
    };
    auto const mean_of = [](std::vector<both> const& known, auto const& value) {
        double sum = 0;
        for (auto const& [p, f] : known) sum += value(p, f);
        return sum / static_cast<double>(known.size());
    };
    s.error = estimate_of(
        [&](auto const& known) { return mean_of(known, [](double p, double f) { return std::abs(p - f); }); });
    s.rms = estimate_of([&](auto const& known) {
        return std::sqrt(mean_of(known, [](double p, double f) { return (p - f) * (p - f); }));
    });
    std::vector<double> right;
    for (auto const& [p, f] : points)
        right.push_back(std::isnan(p) || p == 0.5 ? nan : (p < 0.5) == (f < 0.5) ? 1 : 0);  // one half is on no side
    s.side = design.share(right);
    s.correlation = estimate_of([](auto const& known) { return statistics::pearson(known); });
    return s;
}

}  // namespace plateau::sweep
