#pragma once
/// Draws of prompts with replacement, as the pigeonhole bootstrap takes them.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/statistics/interval.hpp>

namespace plateau::statistics {

/// One resample after the other, a function of the seed. @see prompt_bootstrap
class prompt_draws {
public:
    using pair_list = std::span<std::array<index, 2> const>;

    /// @param pairs  [P] prompts of each pair, in [0, N); kept as a reference      @param prompts  N
    /// @throws domain_error on a prompt outside of [0, N); usage_error of require_options
    prompt_draws(pair_list pairs, index prompts, bootstrap_options const& options)
        : pairs_{pairs}, rng_{options.seed}, often_(static_cast<std::size_t>(std::max<index>(prompts, 0))) {
        for (auto const& pair : pairs) {
            for (index prompt : pair) {
                if (prompt < 0 || prompt >= prompts)
                    throw domain_error("prompt ", prompt, " of a pair is not one of ", prompts);
            }
        }
        require_options(options);
    }

    /// [N] how often each prompt comes in the next resample. One without any pair (few prompts, few pairs) is drawn
    /// again. @pre there is a pair
    std::span<double const> next() {
        do {
            std::fill(often_.begin(), often_.end(), 0.0);
            for (std::size_t k = 0; k < often_.size(); ++k) ++often_[rng_.below(often_.size())];
        } while (std::ranges::none_of(pairs_, [&](auto const& pair) { return weight(often_, pair) > 0; }));
        return often_;
    }

    /// How often a pair comes with them: w_i · w_j times.
    static double weight(std::span<double const> often, std::array<index, 2> const& pair) {
        return often[static_cast<std::size_t>(pair[0])] * often[static_cast<std::size_t>(pair[1])];
    }

private:
    pair_list pairs_;
    counter_rng rng_;
    std::vector<double> often_;
};

}  // namespace plateau::statistics
