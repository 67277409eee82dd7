#pragma once
/// Where an intervention acts: positions, heads, or both.

#include <algorithm>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

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

/// One selected vector of a site, to be changed in place: [D]; of a site with heads one head's [E]; of scores and patterns one
/// head's keys, [position + 1].
template <class T>
using vector_change = std::function<void(std::span<T> x, site const&, row_id const&, index head)>;

/// Calls `f` with every selected vector of the rows.
/// @throws usage_error on positions or heads that are not there
template <class T>
void each_vector(selection const& where_to, site const& at, where const& w, tensor::view<T, 3> rows, vector_change<T> const& f) {
    for (index const head : where_to.only_heads) {
        if (head >= 0 && head < rows.extent(1) && at.axes != site_axes::vector) continue;
        throw usage_error{at.name(), " has no head ", head, ": ", at.axes == site_axes::vector ? "it has no heads" : "it has ",
                          at.axes == site_axes::vector ? std::string() : concat({rows.extent(1), " of them, counted from 0"})};
    }
    for (std::size_t r = 0; r < w.rows.size(); ++r) {
        auto const& row = w.rows[r];
        if (!where_to.at.holds(row)) continue;
        index const width = at.axes == site_axes::keys ? std::min(row.position + 1, rows.extent(2)) : rows.extent(2);
        for (index head = 0; head < rows.extent(1); ++head) {
            auto const& some = where_to.only_heads;
            if (!some.empty() && std::find(some.begin(), some.end(), head) == some.end()) continue;
            f({rows[static_cast<index>(r)][head].data(), static_cast<std::size_t>(width)}, at, row, head);
        }
    }
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

namespace detail {

/// The part of `given` that belongs to a head: all of it if it is as long as one head's vector, or its share of the whole site.
/// @throws shape_error if it is neither
template <class T>
std::span<T const> share_of(std::span<T const> given, site const& at, index head, std::size_t width) {
    if (given.size() == width) return given;
    if (at.axes != site_axes::keys && given.size() == width * static_cast<std::size_t>(at.heads)) {
        return given.subspan(static_cast<std::size_t>(head) * width, width);
    }
    throw shape_error{"a vector of ", given.size(), " values does not fit ", at.name(), ", which has ", at.heads, " x ", width};
}

}  // namespace detail

}  // namespace plateau::hooks
