#pragma once
/// Sensitivity of predictions to pushes of an activation, by family of directions and by length.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/patched_rows.hpp>
#include <plateau/engine/read/predictions.hpp>
#include <plateau/paths/point.hpp>
#include <plateau/sweep/activations.hpp>

namespace plateau::sweep {

/// How far the next-token distribution moves when A becomes A + L d/|d|.
/// @see Heimersheim & Mendel 2024; Lee & Heimersheim 2024, arXiv 2410.12555
struct sensitivity {
    std::vector<std::string> families;  ///< [K]
    index prompts = 0, repeats = 1;     ///< N, and R directions of a family at each of them
    std::vector<double> lengths = {};   ///< [L], ascending, in units
    double unit = 1;                    ///< of lengths, in that of activations
    std::vector<double> kl = {};        ///< [K,N,R,L] KL(p(A) ‖ p(A + L d/|d|)) at the last position; nats

    /// Points of a prompt, without A itself.
    index points() const { return static_cast<index>(families.size()) * repeats * static_cast<index>(lengths.size()); }

    /// [L]: the lengths in the unit of activations.
    std::vector<double> scaled_lengths() const {
        auto all = lengths;
        for (double& one : all) one *= unit;
        return all;
    }

    /// Number of the length that is nearest to one in units.
    std::size_t nearest_to(double length) const {
        auto const off = [length](double x) { return std::abs(x - length); };
        return static_cast<std::size_t>(std::ranges::min_element(lengths, {}, off) - lengths.begin());
    }

    /// [N]: the mean over a prompt's repeats.
    std::vector<double> by_prompt(std::size_t family, std::size_t length) const {
        std::vector<double> values;
        for (index i = 0; i < prompts; ++i) {
            double sum = 0;
            for (index r = 0; r < repeats; ++r) {
                auto const row = (static_cast<index>(family) * prompts + i) * repeats + r;
                sum += kl[static_cast<std::size_t>(row) * lengths.size() + length];
            }
            values.push_back(sum / static_cast<double>(repeats));
        }
        return values;
    }

    /// [N]: log of the ratio to another family's; NaN where either is not positive.
    std::vector<double> log_ratios(std::size_t family, std::size_t to, std::size_t length) const {
        auto values = by_prompt(family, length);
        auto const others = by_prompt(to, length);
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = values[i] > 0 && others[i] > 0 ? std::log(values[i] / others[i])
                                                       : std::numeric_limits<double>::quiet_NaN();
        }
        return values;
    }

    /// [N]: the length, in units, at which a prompt's KL first reaches `bound`, linear between lengths from (0, 0) on;
    /// the longest if it does not.
    std::vector<double> length_to(std::size_t family, double bound) const {
        std::vector<double> found(static_cast<std::size_t>(prompts), std::numeric_limits<double>::infinity());
        std::vector<double> before(found.size(), 0.0);
        auto const scaled = scaled_lengths();
        for (std::size_t l = 0; l < scaled.size(); ++l) {
            auto const values = by_prompt(family, l);
            double const from = l > 0 ? scaled[l - 1] : 0;
            for (std::size_t i = 0; i < found.size(); ++i) {
                if (std::isinf(found[i]) && values[i] >= bound)
                    found[i] = from + (scaled[l] - from) * (bound - before[i]) / (values[i] - before[i]);
                before[i] = values[i];
            }
        }
        for (double& one : found) one = std::min(one, scaled.back()) / unit;
        return found;
    }
};

/// Those of some prompts.
struct prompt_divergences {
    tensor::buffer<double, 4> kl;  ///< [K,n,R,L]

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.kl, 1);
    }
};

/// Divergences of n prompts. @param units  [n,K,R,D] directions as `draw_units` gives them      @param where
/// where.write is pushed, at the last position of every prompt; every prompt counts 1 + points
/// @param all  whose families, repeats and lengths
/// @throws site_error, usage_error; numeric_error that names the prompt and the family where a divergence is not finite
template <class T>
prompt_divergences divergences_of(model<T> const& model, prompt_list const& prompts, std::span<double const> units,
                                  engine::setup const& where, sensitivity const& all) {
    index const count = std::ssize(prompts);
    auto const families = static_cast<index>(all.families.size()), lengths = static_cast<index>(all.lengths.size());
    index const per_family = lengths * all.repeats, points = 1 + all.points();
    auto const width = units.size() / static_cast<std::size_t>(count * families * all.repeats);
    auto const scaled = all.scaled_lengths();
    auto const write = [&](index pair, index point, auto a, auto, auto out) {
        if (point == 0) return paths::weighted_sum(out[0].flat(), paths::term<T>{1, a[0].flat()});
        index const number =
            (pair * families + (point - 1) / per_family) * all.repeats + (point - 1) % per_family / lengths;
        std::span<double const> const unit{units.data() + static_cast<std::size_t>(number) * width, width};
        paths::weighted_sum(out[0].flat(), paths::term<T>{1, a[0].flat()},
                            paths::term<double>{scaled[static_cast<std::size_t>((point - 1) % lengths)], unit});
    };
    std::vector<engine::prompt_pair> pairs;
    for (index i = 0; i < count; ++i) pairs.push_back({i, i});
    engine::predictions<T> predictions{count, points, 0};
    engine::patched_rows<T>{model.engine(), prompts, points, where}.run(
        pairs, write, engine::read_predictions(model.engine(), predictions));
    prompt_divergences found{tensor::buffer<double, 4>({families, count, all.repeats, lengths})};
    for (index p = 0; p < found.kl.size(); ++p) {
        index const family = p / per_family / count, prompt = p / per_family % count;
        double const one = predictions.kl_from_start(prompt, 1 + family * per_family + p % per_family);
        if (!std::isfinite(one)) {
            throw numeric_error("the predictions of prompt ", prompt, " are not finite along ",
                                all.families[static_cast<std::size_t>(family)],
                                ": ask for shorter lengths, or a wider dtype");
        }
        found.kl.data()[p] = std::max(one, 0.0);  // rounding may leave −1e-12
    }
    return found;
}

/// Fills in `all.kl`. @param units  [N,K,R,D]      @throws as divergences_of
template <class T>
void measure_sensitivity(model<T> const& model, prompt_list const& prompts, std::vector<double> const& units,
                         engine::setup const& where, sensitivity& all) {
    auto const found = divergences_of(model, prompts, units, where, all).kl;
    all.kl.assign(found.data(), found.data() + found.size());
}

}  // namespace plateau::sweep
