#pragma once
/// Distances of transplanted activations from their own runs.

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/prompt_pair.hpp>
#include <plateau/engine/read/read_out.hpp>
#include <plateau/metrics/l2_distance.hpp>

namespace plateau::sweep {

/// The transplant gap of each pair, ‖F_p(B) − F_q(B)‖₂: p is the pair's context, q its other prompt, B the activation
/// of q at the written positions, F_p(B) the read-out at p's last position where the path reaches B, F_q(B) the natural
/// one at q's last position, in a clean run. 0 where both ends of a path are natural runs. In the unit of the read-out.
///
/// Give `reads()` to the sweep, then ask for `distances()`.
template <class T>
class transplant_gap {
public:
    /// @param model,prompts,pairs  kept as references      @throws site_error if `read_site` is not one site
    transplant_gap(model<T> const& model, prompt_list const& prompts, std::vector<engine::prompt_pair> const& pairs,
                   std::string const& read_site)
        : model_{model}, prompts_{prompts}, pairs_{pairs}, site_{hooks::find_site(model.sites(), read_site)},
          ends_(pairs.size()) {}

    /// Keeps the read-outs where paths reach B: at their last point, or at their first where they go to the context.
    /// Lives no longer than this.
    hooks::hook_set<T> reads() {
        return engine::each_read_out<T>(site_.name(), [this](engine::read_out<T> const& r) {
            auto const& pair = pairs_[static_cast<std::size_t>(r.pair)];
            index const where = pair.context == pair.from ? r.points - 1 : 0;
            if (r.point == where) ends_[static_cast<std::size_t>(r.pair)].assign(r.value.begin(), r.value.end());
        });
    }

    /// [P]; NaN where scores or patterns of prompts of different lengths cannot be compared. Runs the other prompts.
    /// @throws numeric_error
    std::vector<double> distances() const {
        std::vector<index> number(prompts_.size(), -1);
        prompt_list others;
        for (auto const& pair : pairs_) {
            auto& n = number[static_cast<std::size_t>(pair.other())];
            if (n >= 0) continue;
            n = static_cast<index>(others.size());
            others.push_back(prompts_[static_cast<std::size_t>(pair.other())]);
        }
        auto const natural = std::make_shared<hooks::recording<T>>();
        model_.run(others, hooks::record<T>(site_.name(), natural, hooks::positions::last()));
        std::vector<double> all;
        for (std::size_t p = 0; p < pairs_.size(); ++p) {
            auto const other = static_cast<std::size_t>(pairs_[p].other());
            std::vector<T> const& end = ends_[p];
            auto const own = natural->at(site_, number[other], static_cast<index>(prompts_[other].size()) - 1);
            all.push_back(end.size() == own.size() ? metrics::l2_distance<T>(end, own)
                                                   : std::numeric_limits<double>::quiet_NaN());
        }
        return all;
    }

private:
    model<T> const& model_;
    prompt_list const& prompts_;
    std::vector<engine::prompt_pair> const& pairs_;
    hooks::site site_;
    std::vector<std::vector<T>> ends_;  // by pair
};

PLATEAU_COMPILED_CLASS(transplant_gap);

}  // namespace plateau::sweep
