#pragma once
/// What studies of prompt pairs share: their options, who is paired with whom, and the numbers of a pair's curve.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/corpus/pairings.hpp>
#include <plateau/metrics/max_slope.hpp>
#include <plateau/metrics/relative_distance.hpp>
#include <plateau/metrics/transition.hpp>
#include <plateau/statistics/block_bootstrap.hpp>
#include <plateau/statistics/prompt_bootstrap.hpp>
#include <plateau/statistics/region_count.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "interval_table.hpp"
#include "program.hpp"

namespace program {

namespace statistics = plateau::statistics;

/// Options of every study of pairs.
struct study_options : common_options {
    std::string pairs = "chain";
    std::string write_site = "blocks.0.hook_resid_post";
    std::string read_site = "ln_final.hook_out";
    index steps = 50;
    double min_d1 = 0;
    index resamples = 2000;

    plateau::sweep::setup sites() const { return {.write = write_site, .read = read_site}; }
};

inline void add_pair_options(CLI::App& app, study_options& o) {
    app.add_option(
           "--pairs", o.pairs,
           "chain: (0,1), (1,2), ...; disjoint: (0,1), (2,3), ...; all: every two; or an NPY file of integers [P,2]: "
           "context, other")
        ->capture_default_str();
    app.add_option("--steps", o.steps, "points per pair, alpha = i/(steps-1)")->capture_default_str();
    app.add_option("--min-d1", o.min_d1, "a pair with d(1) not above this is degenerate")->capture_default_str();
    app.add_option("--resamples", o.resamples, "of the bootstraps that make intervals")->capture_default_str();
}

inline void add_site_options(CLI::App& app, study_options& o) {
    app.add_option("--write-site", o.write_site, "where x(alpha) is written")->capture_default_str();
    app.add_option("--read-site", o.read_site, "where the change is read, at the last position")->capture_default_str();
}

/// @throws usage_error on numbers without sense
inline void require_valid(study_options const& o) {
    if (o.steps < 2) throw plateau::usage_error("--steps must be at least 2, got " + std::to_string(o.steps));
    if (!(o.min_d1 >= 0)) throw plateau::usage_error("--min-d1 must be a distance, 0 or more");
    if (o.resamples < 1)
        throw plateau::usage_error("--resamples must be at least 1, got " + std::to_string(o.resamples));
}

/// Which prompts are paired, and how the pairs depend on each other: that decides how intervals are made.
struct pair_design {
    enum class dependence {
        none,     ///< no prompt is in two pairs
        chain,    ///< each pair shares a prompt with its neighbours
        prompts,  ///< pairs share prompts as they will
    };
    std::vector<plateau::sweep::prompt_pair> pairs;
    index prompts = 0;
    dependence shared = dependence::none;

    index count() const { return static_cast<index>(pairs.size()); }

    std::vector<plateau::corpus::pair> numbers() const {
        std::vector<plateau::corpus::pair> all;
        for (auto const& pair : pairs) all.push_back({pair.from, pair.to});
        return all;
    }

    /// A statistic of the pairs with its 95 % interval: bootstrap of blocks of neighbours for a chain, of prompts where
    /// those are shared otherwise, of the pairs themselves where they are independent. No interval of fewer than two
    /// pairs: NaN.
    /// @param values  [P], in the order of the pairs
    template <class V, class Statistic>
    statistics::estimate interval(std::span<V const> values, Statistic const& statistic, study_options const& o) const {
        double const nan = std::numeric_limits<double>::quiet_NaN();
        if (values.size() < 2) return {statistic(values), nan, nan, nan};
        statistics::bootstrap_options const options{.resamples = o.resamples, .seed = o.seed};
        if (shared == dependence::prompts) {
            auto const names = numbers();
            return statistics::prompt_bootstrap(values, std::span<plateau::corpus::pair const>{names}, prompts,
                                                statistic, options);
        }
        index const block = shared == dependence::chain ? statistics::default_block(count()) : 1;
        return statistics::block_bootstrap(values, block, statistic, options);
    }

    statistics::estimate median(std::vector<double> const& values, study_options const& o) const {
        return interval(std::span<double const>{values}, statistics::median, o);
    }
    statistics::estimate mean(std::vector<double> const& values, study_options const& o) const {
        return interval(std::span<double const>{values}, statistics::mean, o);
    }

    /// The share of ones among values that are 0, 1, or NaN for a missing one: with Wilson's interval where pairs are
    /// independent, and where all values are the same, since then no resample differs from another (of as many trials
    /// as there are pairs without a common prompt, N / 2 at most).
    statistics::estimate share(std::vector<double> const& values, study_options const& o) const {
        auto found = mean(values, o);
        found.low = std::max(found.low, 0.0), found.high = std::min(found.high, 1.0);
        auto const known =
            static_cast<index>(std::count_if(values.begin(), values.end(), [](double x) { return !std::isnan(x); }));
        if (known == 0) return found;
        if (shared == dependence::none)
            return statistics::wilson_share(std::count(values.begin(), values.end(), 1.0), known);
        if (found.value > 0 && found.value < 1) return found;
        index const trials = std::min(known, std::max<index>(prompts / 2, 1));
        return statistics::wilson_share(found.value > 0 ? trials : 0, trials);
    }
};

/// Pairs given by number, of a file or made by a study. @param how  tells what they share
inline pair_design design_of(std::vector<plateau::corpus::pair> const& numbers, index prompts,
                             pair_design::dependence how) {
    pair_design design{{}, prompts, how};
    for (auto const& [context, other] : numbers) design.pairs.push_back({context, other});
    if (design.pairs.empty()) throw plateau::usage_error("there is no pair: give at least two prompts");
    return design;
}

/// The pairs that --pairs asks for. @throws usage_error, file_error
inline pair_design pairs_of(std::string const& how, index prompts) {
    using dependence = pair_design::dependence;
    if (how == "chain") return design_of(plateau::corpus::chain_pairs(prompts), prompts, dependence::chain);
    if (how == "disjoint") return design_of(plateau::corpus::disjoint_pairs(prompts), prompts, dependence::none);
    if (how == "all") return design_of(plateau::corpus::all_pairs(prompts), prompts, dependence::prompts);
    if (!std::filesystem::exists(how)) {
        throw plateau::usage_error("--pairs " + how +
                                   ": there is no such file; give chain, disjoint, all or an NPY file");
    }
    auto const array = read_integers(how);
    if (array.shape.size() != 2 || array.shape[1] != 2)
        throw plateau::usage_error(how + ": pairs must have the shape [P,2]: context, other");
    for (index const i : array.values) {
        if (i >= 0 && i < prompts) continue;
        throw plateau::usage_error(how + ": a pair names prompt " + std::to_string(i) + ", there are " +
                                   std::to_string(prompts) + ", counted from 0");
    }
    std::vector<plateau::corpus::pair> numbers;
    for (std::size_t i = 0; i < array.values.size(); i += 2) numbers.push_back({array.values[i], array.values[i + 1]});
    return design_of(numbers, prompts, dependence::prompts);
}

/// What is known of each pair's curve.
struct pair_curves {
    std::vector<double> alpha;       ///< [S]
    std::vector<double> relative;    ///< [P,S] d(α)/d(1); NaN for a degenerate pair, as are the numbers below
    std::vector<double> max_slope;   ///< [P]
    std::vector<double> alpha_jump;  ///< [P]
    std::vector<double> width;       ///< [P] t(0.9) − t(0.1) of the isotonic fit
    index degenerate = 0;

    index count() const { return static_cast<index>(max_slope.size()); }
    index steps() const { return static_cast<index>(alpha.size()); }
    std::span<double const> curve(index pair) const {
        return std::span{relative}.subspan(static_cast<std::size_t>(pair) * alpha.size(), alpha.size());
    }

    /// [P]: the relative distance at a place, linear between points.
    std::vector<double> at(double place) const {
        std::vector<double> values;
        for (index p = 0; p < count(); ++p) values.push_back(plateau::metrics::value_at(alpha, curve(p), place));
        return values;
    }

    /// [S]: the median over `pairs` (numbers, possibly repeated), point by point.
    std::vector<double> median_curve(std::span<index const> pairs) const {
        std::vector<double> result, column(pairs.size());
        for (std::size_t i = 0; i < alpha.size(); ++i) {
            for (std::size_t k = 0; k < pairs.size(); ++k)
                column[k] = relative[static_cast<std::size_t>(pairs[k]) * alpha.size() + i];
            result.push_back(statistics::median(column));
        }
        return result;
    }
};

/// @throws numeric_error that names the read site and the pair where a distance is infinite or NaN
inline void require_finite(plateau::tensor::buffer<double, 2> const& distances, std::string const& site) {
    for (index p = 0; p < distances.extent(0); ++p) {
        for (index i = 0; i < distances.extent(1); ++i) {
            if (std::isfinite(distances(p, i))) continue;
            throw plateau::numeric_error(
                "the read-out at " + site + " is not finite for pair " + std::to_string(p) +
                ", alpha = " + plateau::fixed(plateau::paths::grid_fraction(i, distances.extent(1)), 4) +
                ": check the weights, or compute with a wider dtype");
        }
    }
}

/// The numbers of curves. @throws numeric_error if all pairs are degenerate
inline pair_curves curves_of(std::vector<double> const& alpha, plateau::tensor::buffer<double, 2> const& distances,
                             double min_d1) {
    pair_curves all;
    all.alpha = alpha;
    for (index p = 0; p < distances.extent(0); ++p) {
        auto const relative = plateau::metrics::relative_distance(distances[p].flat(), min_d1);
        auto const slope = plateau::metrics::max_slope(relative);
        all.relative.insert(all.relative.end(), relative.begin(), relative.end());
        all.max_slope.push_back(slope.value);
        all.alpha_jump.push_back(slope.alpha);
        all.width.push_back(plateau::metrics::transition_of(alpha, relative).width);
        all.degenerate += std::isnan(slope.value) ? 1 : 0;
    }
    if (all.degenerate == distances.extent(0)) {
        throw plateau::numeric_error("all " + std::to_string(all.degenerate) +
                                     " pairs are degenerate: d(1) <= " + plateau::fixed(min_d1, 6) +
                                     "; choose other prompts, another write site or --min-d1");
    }
    return all;
}

/// The points of a program's sweeps: a line on a terminal counts them, and their seconds are summed.
class point_count {
public:
    /// @param points  of all sweeps
    void expect(index points) { bar_.emplace("points", points); }
    /// Ends the line, before a table begins.
    void end() { bar_.reset(); }

    /// @pre expect
    std::function<void(index)> counter() {
        return [this](index points) { bar_->advance(points); };
    }
    double seconds = 0;

private:
    std::optional<plateau::progress> bar_;
};

/// The sweep of a study along straight lines. @param where  write and read site
template <class T>
plateau::sweep::distance_curves sweep_lines(plateau::model<T> const& model, prompt_list const& prompts,
                                            std::vector<plateau::sweep::prompt_pair> const& pairs, index steps,
                                            plateau::sweep::setup where, point_count& counted,
                                            plateau::hooks::hook_set<T> const& also = {}) {
    stopwatch const watch;
    where.progress = counted.counter();
    auto curves = plateau::sweep::interpolate(model, prompts, pairs, steps, where, also);
    counted.seconds += watch.seconds();
    require_finite(curves.distances, where.read);
    return curves;
}

/// Prompts and pairs as they ran: tokens.npy, lengths.npy if they differ, pairs.npy.
inline void write_prompts_and_pairs(plateau::output_set& out, prompt_list const& prompts,
                                    std::vector<plateau::corpus::pair> const& pairs) {
    write_prompts(out, prompts);
    std::vector<std::int64_t> numbers;
    for (auto const& [context, other] : pairs) numbers.insert(numbers.end(), {context, other});
    plateau::io::write_npy(out.file("pairs.npy"), numbers, {static_cast<index>(pairs.size()), 2});
}

}  // namespace program
