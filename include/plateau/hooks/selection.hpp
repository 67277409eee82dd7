#pragma once
/// Where an intervention acts: positions, heads, or both.

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/hooks/hook_set.hpp>

namespace plateau::hooks {

/// Some heads of a site that has heads, counted from 0: of keys and values, the key heads.
struct heads {
    std::vector<index> which;

    heads(std::initializer_list<index> some) : which(some) {}
    explicit heads(std::vector<index> some) : which(std::move(some)) {}
};

/// Positions and heads, by default all of them. `positions::last() & heads{0, 3}` is such a selection.
struct selection {
    positions at = {};
    std::vector<index> only_heads = {};  ///< empty for all

    selection() = default;
    selection(positions some) : at{some} {}
    selection(heads some) : only_heads(std::move(some.which)) {}
};

inline selection operator&(positions at, heads some) {
    selection both{std::move(some)};
    both.at = at;
    return both;
}
inline selection operator&(heads some, positions at) { return at & std::move(some); }

/// One selected vector of a site, to be changed in place: [D]; of a site with heads one head's [E]; of scores and
/// patterns one head's keys, [position + 1].
template <class T>
using vector_change = std::function<void(std::span<T> x, site const&, row_id const&, index head)>;

/// Calls f(number of the row, head, width) for every selected vector of rows [A, B].
/// @throws usage_error on positions or heads that are not there
template <class F>
void each_selected(selection const& where_to, site const& at, where const& w, std::array<index, 2> shape, F const& f) {
    for (index const head : where_to.only_heads) {
        if (head >= 0 && head < shape[0] && at.axes != site_axes::vector) continue;
        throw usage_error(
            at.name(), " has no head ", head, ": ", at.axes == site_axes::vector ? "it has no heads" : "it has ",
            at.axes == site_axes::vector ? std::string() : concat({shape[0], " of them, counted from 0"}));
    }
    for (std::size_t r = 0; r < w.rows.size(); ++r) {
        auto const& row = w.rows[r];
        if (!where_to.at.holds(row)) continue;
        index const width = at.axes == site_axes::keys ? std::min(row.position + 1, shape[1]) : shape[1];
        for (index head = 0; head < shape[0]; ++head) {
            auto const& some = where_to.only_heads;
            if (!some.empty() && std::find(some.begin(), some.end(), head) == some.end()) continue;
            f(static_cast<index>(r), head, width);
        }
    }
}

/// Calls `f` with every selected vector of the rows. @throws as each_selected
template <class T>
void each_vector(selection const& where_to, site const& at, where const& w, tensor::view<T, 3> rows,
                 vector_change<T> const& f) {
    each_selected(where_to, at, w, {rows.extent(1), rows.extent(2)}, [&](index r, index head, index width) {
        f({rows[r][head].data(), static_cast<std::size_t>(width)}, at, w.rows[static_cast<std::size_t>(r)], head);
    });
}

/// Changes the selected vectors of every site that matches, one by one. @param depends  what f depends on, beside x
template <class T>
hook_set<T> change(std::string pattern, selection where_to, vector_change<T> f, depends_on depends) {
    positions const touched = where_to.at;
    return patch<T>(
        std::move(pattern),
        [where_to = std::move(where_to), f = std::move(f)](site const& at, where const& w, tensor::view<T, 3> rows) {
        each_vector<T>(where_to, at, w, rows, f);
        },
        depends, touched);
}

/// What becomes of a selected vector of `width` values. The span lives as long as what it is of: the hook, or a
/// recording.
template <class T>
using edit_of_vector = std::function<vector_edit<T>(site const&, row_id const&, index head, std::size_t width)>;

/// @throws domain_error if a direction that is to be projected out is zero or not finite
template <class T>
void require_direction(vector_edit<T> const& change, site const& at) {
    if (change.kind != backend::edit_kind::project_out) return;
    double const square = tensor::dot(change.values, change.values);
    if (!(square > 0) || !std::isfinite(square)) {
        throw domain_error("the direction to be projected out of ", at.name(), " is zero or not finite");
    }
}

/// Edits the selected vectors of every site that matches. @param depends  what f depends on
template <class T>
hook_set<T> edit(std::string pattern, selection where_to, edit_of_vector<T> f, depends_on depends) {
    hook<T> one{std::move(pattern), {}, false, depends, where_to.at};
    one.action = [where_to, f](site const& at, where const& w, tensor::view<T, 3> rows) {
        each_vector<T>(where_to, at, w, rows, [&](std::span<T> x, site const&, row_id const& row, index head) {
            auto const change = f(at, row, head, x.size());
            require_direction(change, at);
            backend::edit<T>(change.kind, change.values, x);
        });
    };
    one.edits = [where_to = std::move(where_to), f = std::move(f)](
                    site const& at, where const& w, std::array<index, 2> shape, edit_taker<T> const& take) {
        each_selected(where_to, at, w, shape, [&](index r, index head, index width) {
            take(r, head, width, f(at, w.rows[static_cast<std::size_t>(r)], head, static_cast<std::size_t>(width)));
        });
    };
    return hook_set<T>{std::move(one)};
}

namespace detail {

/// The part of `given` that belongs to a head: all of it if it is as long as one head's vector, or its share of the
/// whole site.
/// @throws shape_error if it is neither
template <class T>
std::span<T const> share_of(std::span<T const> given, site const& at, index head, std::size_t width) {
    if (given.size() == width) return given;
    if (at.axes != site_axes::keys && given.size() == width * static_cast<std::size_t>(at.heads)) {
        return given.subspan(static_cast<std::size_t>(head) * width, width);
    }
    throw shape_error("a vector of ", given.size(), " values does not fit ", at.name(), ", which has ", at.heads, " x ",
                      width);
}

}  // namespace detail

}  // namespace plateau::hooks
