#pragma once
/// How far a transplanted activation is from its own run.

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/hooks/recording.hpp>
#include <plateau/metrics/l2_distance.hpp>
#include <plateau/sweep/patched_rows.hpp>

namespace plateau::sweep {

/// The transplant gap of each pair, ‖F_p(B) − F_q(B)‖₂: p is the pair's context, q its other prompt, B the activation
/// of q at the written positions, F_p(B) the read-out at p's last position where the path reaches B, F_q(B) the natural
/// one at q's last position, in a clean run. 0 where both ends of a path are natural runs. In the unit of the read-out.
///
/// Give `reads()` to the sweep, then ask for `distances()`.
template <class Context, class Model>
class transplant_gap {
public:
    using T = typename Model::value_type;

    /// @param ctx,model,prompts,pairs  kept as references
    /// @param points  of a path: B is at the last one, or at the first of a pair `to_context`
    /// @throws site_error if `read_site` is not one site
    transplant_gap(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                   std::vector<prompt_pair> const& pairs, std::string const& read_site, index points)
        : ctx_{ctx}, model_{model}, prompts_{prompts}, pairs_{pairs}, site_{hooks::find_site(model.sites(), read_site)},
          points_{points}, ends_(pairs.size()) {}

    /// Keeps the read-outs where paths reach B. Lives no longer than this.
    hooks::hook_set<T> reads() {
        return hooks::capture<T>(site_.name(),
                                 [this](hooks::site const& at, hooks::where const& w, tensor::view<T const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const& row = w.rows[r];
                auto const item = static_cast<std::size_t>(row.item);
                if (!row.last || row.repeated || row.point != (pairs_[item].to_context ? 0 : points_ - 1)) continue;
                ends_[item] = hooks::detail::row_values<T>(at, row, rows[static_cast<index>(r)]);
            }
        });
    }

    /// [P]; NaN where scores or patterns of prompts of different lengths cannot be compared. Runs the other prompts.
    /// @throws numeric_error
    std::vector<double> distances() const {
        std::vector<index> number(prompts_.size(), -1);
        models::prompt_list others;
        for (auto const& pair : pairs_) {
            auto& n = number[static_cast<std::size_t>(pair.other)];
            if (n >= 0) continue;
            n = static_cast<index>(others.size());
            others.push_back(prompts_[static_cast<std::size_t>(pair.other)]);
        }
        auto const natural = std::make_shared<hooks::recording<T>>();
        models::forward(ctx_, model_, others, hooks::record<T>(site_.name(), natural, hooks::positions::last()));
        std::vector<double> all;
        for (std::size_t p = 0; p < pairs_.size(); ++p) {
            auto const other = static_cast<std::size_t>(pairs_[p].other);
            std::vector<T> const& end = ends_[p];
            auto const own = natural->at(site_, number[other], static_cast<index>(prompts_[other].size()) - 1);
            all.push_back(end.size() == own.size() ? metrics::l2_distance<T>(end, own)
                                                   : std::numeric_limits<double>::quiet_NaN());
        }
        return all;
    }

private:
    Context const& ctx_;
    Model const& model_;
    models::prompt_list const& prompts_;
    std::vector<prompt_pair> const& pairs_;
    hooks::site site_;
    index points_;
    std::vector<std::vector<T>> ends_;  // by pair
};

}  // namespace plateau::sweep
