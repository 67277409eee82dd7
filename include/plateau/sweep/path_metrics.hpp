#pragma once
/// Metrics that need the read-outs of a whole path, by name.

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/read/whole_paths.hpp>
#include <plateau/metrics/cosine_distance.hpp>
#include <plateau/metrics/cumulative_arc.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/metrics/projection.hpp>
#include <plateau/metrics/relative_distance.hpp>

namespace plateau::sweep {

/// A metric of whole paths, and what it is: no unit; NaN where it is not defined.
struct path_metric_name {
    char const* name;
    char const* what;
};
inline constexpr std::array<path_metric_name, 4> path_metric_names{{
    {"share", "d_A/(d_A+d_B), d to the read-outs at alpha = 0 and 1"},
    {"projection", "<x-a,b-a>/|b-a|^2 of read-outs, a and b those of both ends"},
    {"arc", "length that the read-out has travelled, of the whole"},
    {"cosine", "1 - cosine of the read-out and that at alpha = 0"},
}};

/// Curves [P, S] of the metrics asked for, at each of the read sites.
class path_metrics {
public:
    path_metrics(std::vector<std::string> metrics, std::size_t sites, index pairs, index steps)
        : metrics_{std::move(metrics)}, sites_{sites} {
        for (std::size_t i = 0; i < metrics_.size() * sites; ++i)
            curves_.emplace_back(std::array<index, 2>{pairs, steps});
    }

    bool any() const { return !metrics_.empty(); }

    /// What reads site number k under this name. The object must live as long.
    template <class T>
    hooks::hook_set<T> reads(std::string site, std::size_t k) {
        return engine::read_paths<T>(std::move(site), [this, k](index pair, tensor::view<T const, 2> x) {
            for (std::size_t m = 0; m < metrics_.size(); ++m) {
                auto const curve = curve_of<T>(metrics_[m], x);
                std::copy(curve.begin(), curve.end(), curves_[m * sites_ + k][pair].data());
            }
        });
    }

    /// [P, S] each: metric by metric, in each site by site.
    std::vector<tensor::buffer<double, 2>> take() && { return std::move(curves_); }

private:
    template <class T>
    static std::vector<double> curve_of(std::string const& metric, tensor::view<T const, 2> x) {
        using row = std::span<T const>;
        index const last = x.extent(0) - 1;
        row const first = x[0].flat(), end = x[last].flat();
        if (metric == "arc") return metrics::cumulative_arc(metrics::step_lengths<T>(x));
        std::vector<double> curve, to_end;
        for (index i = 0; i <= last; ++i) {
            row const here = x[i].flat();
            if (metric == "projection") curve.push_back(metrics::projection<T>(here, first, end));
            if (metric == "cosine") curve.push_back(metrics::cosine_distance<T>(first, here));
            if (metric == "share") {
                curve.push_back(metrics::l2_distance<T>(first, here));
                to_end.push_back(metrics::l2_distance<T>(here, end));
            }
        }
        return metric == "share" ? metrics::endpoint_share(curve, to_end) : curve;
    }

    std::vector<std::string> metrics_;
    std::size_t sites_;
    std::vector<tensor::buffer<double, 2>> curves_;  ///< metric by metric, in each site by site
};

}  // namespace plateau::sweep
