#pragma once
/// Derivatives along a sweep: tangents behind its points, from the write site to wherever one looks.

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/carried_cotangents.hpp>
#include <plateau/engine/known_models.hpp>
#include <plateau/engine/patched_rows.hpp>

namespace plateau::engine {

/// Points of pairs that tangents travel behind, as `patched_rows` evaluates them.
template <class T>
struct followed_points {
    index steps = 1;  ///< of a pair
    point_writer<T> write;
    setup where = {};
    hooks::hook_set<T> hooks = {};  ///< that look at the rows themselves, and interventions that have derivatives
};

namespace detail {

/// What hooks that change values do to tangents. @throws usage_error on one without a derivative
template <class T>
hooks::hook_set<T> changes_of_tangents(hooks::hook_set<T> const& set) {
    hooks::hook_set<T> changes;
    for (auto const& hook : set.hooks()) {
        if (hook.reads_only) continue;
        if (!hook.tangent) {
            throw usage_error("the hook at ", hook.pattern,
                              " changes values and has no derivative: the library's own interventions have one, and a "
                              "hook with a `tangent`");
        }
        changes = changes | hooks::hook_set<T>{{hook.pattern, hook.tangent}};
    }
    return changes;
}

/// True if some hook only looks.
template <class T>
bool looks(hooks::hook_set<T> const& set) {
    return std::ranges::any_of(set.hooks(), [](hooks::hook<T> const& one) { return one.reads_only; });
}

/// Runs the rows of points with tangents or cotangents behind them.
/// @param most_rows  of a block
template <class T>
void run_followed(engine<T> const& model, prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                  followed_points<T> points, companion<T>& behind, index most_rows) {
    index const together = 1 + std::min(behind.tangents(), companion<T>::most_together);
    travel const how{.block_rows = std::clamp<index>(model.facts().block_rows / together, 1, most_rows)};
    patched_rows<T> rows{model, prompts, points.steps, points.where, how};
    rows.carry(behind, tangent_runners(model));
    rows.run(pairs, points.write, points.hooks);
}

/// Hooks that look at the sites of others and do nothing there: rows run as far.
template <class T>
hooks::hook_set<T> as_far_as(hooks::hook_set<T> const& others) {
    hooks::hook_set<T> quiet;
    for (auto const& hook : others.hooks()) quiet = quiet | hooks::capture<T>(hook.pattern, [](hooks::rows_at<T>&) {});
    return quiet;
}

}  // namespace detail

/// Carries tangents behind the points of a sweep: rows are evaluated as ever, and each of the k tangents of a point
/// costs about as much as a row. A tangent u at the write site becomes J u at every site behind it, J = d(site)/d(write
/// site) at that point, from the written positions to those of the row; hooks of `request.reads` see it there. Tangents
/// and what they take for constant change no bit of the rows; a tangent has the same bits in any company, in blocks of
/// any size and for any number of threads. Where there are more than travel together, or fewer points than threads,
/// rows are evaluated again for the next ones; hooks that only look see them once, before hooks see their tangents.
/// @throws usage_error on hooks that change values without a derivative, models without derivatives; as
///         carried_tangents and patched_rows; numeric_error where a tangent is not finite
template <class T>
void carry_tangents(engine<T> const& model, prompt_list const& prompts, std::vector<prompt_pair> const& pairs,
                    std::type_identity_t<followed_points<T>> points, tangent_request<T> request) {
    request.changes = request.changes | detail::changes_of_tangents(points.hooks);
    auto const reach = detail::as_far_as(request.reads);
    carried_tangents<T> carried{std::move(request), model.sites()};
    carried.rows_are_seen = detail::looks(points.hooks);
    points.hooks = points.hooks | reach;
    detail::run_followed<T>(model, prompts, pairs, std::move(points), carried, std::numeric_limits<index>::max());
}

/// How cotangents came back.
struct cotangent_report {
    bool computed_again =
        false;  ///< of some rows the values of layers, from their inputs: k + 2 rows in place of k + 1
};

/// Brings cotangents back behind the points of a sweep: a cotangent v at the read site, at the last position, becomes
/// Jᵀv of the written positions; k cotangents of a point cost about as much as k + 1 rows. Otherwise as carry_tangents.
/// The values of all layers are kept for the rows of a block meanwhile, in request.kept_bytes of memory: few rows at a
/// time where they are large, and where even these do not fit the layers' inputs alone; no bit depends on it.
template <class T>
cotangent_report carry_cotangents(engine<T> const& model, prompt_list const& prompts,
                                  std::vector<prompt_pair> const& pairs,
                                  std::type_identity_t<followed_points<T>> points, cotangent_request<T> request) {
    request.changes = request.changes | detail::changes_of_tangents(points.hooks);
    auto const reach = hooks::capture<T>(request.read, [](hooks::rows_at<T>&) {});
    index const fit = request.kept_bytes / std::max(1, model.threads()) / kept_row_bytes(model);
    carried_cotangents<T> carried{std::move(request), model.sites()};
    carried.rows_are_seen = detail::looks(points.hooks);
    points.hooks = points.hooks | reach;
    index const beside = travel{}.max_inline_prefix_rows + fit / 10;  // of prefixes, and of references once more
    detail::run_followed<T>(model, prompts, pairs, std::move(points), carried, std::max<index>(32, fit - beside));
    return {carried.computed_again()};
}

PLATEAU_COMPILED_FUNCTION(carry_cotangents);
PLATEAU_COMPILED_FUNCTION(carry_tangents);

}  // namespace plateau::engine
