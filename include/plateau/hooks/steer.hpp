#pragma once
/// Steering: add a vector, scale, project a direction out.

#include <string>
#include <utility>
#include <vector>

#include <plateau/hooks/selection.hpp>

namespace plateau::hooks {

/// x ← x + v at every selected vector of the sites that match; in T, rounded once.
/// @param v  [D], or [E] for each selected head, or [H · E] for the heads of a site one after the other
/// @throws shape_error, when it acts, if v does not fit
template <class T>
hook_set<T> add(std::string pattern, std::vector<T> v, selection where_to = {}) {
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [v = std::move(v)](site const& at, row_id const&, index head, std::size_t width) {
        return vector_edit<T>{detail::share_of<T>(v, at, head, width), backend::edit_kind::add};
        },
        depends_on::position);
}

/// x ← factor · x; in T, rounded once.
template <class T>
hook_set<T> scale(std::string pattern, T factor, selection where_to = {}) {
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [factor](site const&, row_id const&, index, std::size_t) {
        return vector_edit<T>{{&factor, 1}, backend::edit_kind::scale};
        },
        depends_on::position);
}

/// Directional ablation: x ← x − (x·û) û, û = u / |u|. Sums in double, each value rounded once.
/// @param u  as v of `add`; a direction as long as a whole site with heads is projected out head by head, each with its
/// share
/// @throws domain_error if u, or a head's share of it, is zero or not finite; shape_error, when it acts, if u does not
/// fit
/// @see Arditi et al. 2024, "Refusal in language models is mediated by a single direction"
template <class T>
hook_set<T> project_out(std::string pattern, std::vector<T> u, selection where_to = {}) {
    return edit<T>(
        std::move(pattern), std::move(where_to),
        [u = std::move(u)](site const& at, row_id const&, index head, std::size_t width) {
        return vector_edit<T>{detail::share_of<T>(u, at, head, width), backend::edit_kind::project_out};
        },
        depends_on::position);
}

}  // namespace plateau::hooks
