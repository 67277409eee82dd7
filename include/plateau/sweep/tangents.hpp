#pragma once
/// Derivatives along a sweep: tangents behind its points, from the write site to wherever one looks.

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/carried_tangents.hpp>
#include <plateau/engine/known_models.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/patched_rows.hpp>

namespace plateau::sweep {

using engine::tangent_request;

/// Carries tangents behind the points of a sweep: rows are evaluated as `distances_along` has them, and each of the k
/// tangents of a point costs about as much as a row. A tangent u at the write site becomes J u at every site behind it,
/// J = d(site)/d(write site) at that point, both at the written position; hooks of `request.reads` see it there.
/// Tangents and what they take for constant change no bit of the rows; a tangent has the same bits in any company, in
/// blocks of any size and for any number of threads.
/// @param steps  points of a pair      @param also  hooks that look at the rows themselves
/// @throws usage_error on hooks that change values, points of several positions, models without derivatives; as
///         carried_tangents and patched_rows; numeric_error where a tangent is not finite
template <class T>
void carry_tangents(model<T> const& model, prompt_list const& prompts, std::vector<engine::prompt_pair> const& pairs,
                    index steps, std::type_identity_t<engine::point_writer<T>> const& write, engine::setup const& setup,
                    tangent_request<T> request, hooks::hook_set<T> also = {}) {
    for (auto const& hook : also.hooks()) {
        if (!hook.reads_only) {
            throw usage_error("the hook at ", hook.pattern,
                              " changes values and has no derivative: freeze the site in the tangents' set instead");
        }
    }
    for (auto const& hook : request.reads.hooks()) {  // rows run as far as tangents are looked at
        also = also | hooks::capture<T>(hook.pattern, [](hooks::rows_at<T>&) {});
    }
    index const together = 1 + request.count;
    engine::carried_tangents<T> carried{std::move(request), model.sites()};
    engine::travel const how{.block_rows = std::max<index>(1, model.engine().facts().block_rows / together)};
    engine::patched_rows<T> rows{model.engine(), prompts, steps, setup, how};
    rows.carry(carried, engine::tangent_runners(model.engine()));
    rows.run(pairs, write, also);
}

PLATEAU_COMPILED_FUNCTION(carry_tangents);

}  // namespace plateau::sweep
