#pragma once
/// The positions and heads at which an intervention acts.

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <map>
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
void each_selected(selection const& where_to, site const& at, std::span<row_id const> rows, std::array<index, 2> shape,
                   F const& f) {
    for (index const head : where_to.only_heads) {
        if (head >= 0 && head < shape[0] && at.axes != site_axes::vector) continue;
        throw usage_error(
            at.name(), " has no head ", head, ": ", at.axes == site_axes::vector ? "it has no heads" : "it has ",
            at.axes == site_axes::vector ? std::string() : concat({shape[0], " of them, counted from 0"}));
    }
    for (std::size_t r = 0; r < rows.size(); ++r) {
        auto const& row = rows[r];
        if (!where_to.at.holds(row)) continue;
        index const width = at.axes == site_axes::keys ? std::min(row.position + 1, shape[1]) : shape[1];
        for (index head = 0; head < shape[0]; ++head) {
            auto const& some = where_to.only_heads;
            if (!some.empty() && std::find(some.begin(), some.end(), head) == some.end()) continue;
            f(static_cast<index>(r), head, width);
        }
    }
}

/// Changes the selected vectors of every site that matches, one by one. @param depends  what f depends on, beside x
template <class T>
hook_set<T> change(std::string pattern, selection where_to, vector_change<T> f, depends_on depends) {
    positions const touched = where_to.at;
    auto action = [where_to = std::move(where_to), f = std::move(f)](rows_at<T>& here) {
        auto const rows = here.change();
        each_selected(where_to, here.at, here.rows, here.shape, [&](index r, index head, index width) {
            f({rows[r][head].data(), static_cast<std::size_t>(width)}, here.at, here.rows[static_cast<std::size_t>(r)],
              head);
        });
    };
    return patch<T>(std::move(pattern), std::move(action), depends, touched);
}

/// What becomes of one vector of a row: values of its own width, of a scale one.
template <class T>
struct vector_edit {
    std::span<T const> values;
    backend::edit_kind kind = backend::edit_kind::replace;
};

/// What becomes of a selected vector of `width` values. The span lives as long as what it is of: the hook, or a
/// recording.
template <class T>
using edit_of_vector = std::function<vector_edit<T>(site const&, row_id const&, index head, std::size_t width)>;

/// Edits of one call, and their values: those that edits share stand there once.
template <class T>
class edit_list {
public:
    /// @throws domain_error if a direction that is to be projected out is zero or not finite
    void add(index row, index column, index width, vector_edit<T> const& change, site const& at) {
        constexpr index step = 16 / sizeof(T);  // of values that a device reads at once
        auto const [place, is_new] =
            places_.try_emplace({change.values.data(), change.values.size()}, static_cast<index>(values_.size()));
        if (is_new) {
            require_direction(change, at);
            values_.insert(values_.end(), change.values.begin(), change.values.end());
            values_.resize((values_.size() + step - 1) / step * step);
        }
        edits_.push_back({row, column, width, place->second, change.kind});
    }

    void apply(rows_at<T>& rows) const {
        if (!edits_.empty()) rows.edit(edits_, values_);
    }

private:
    static void require_direction(vector_edit<T> const& change, site const& at) {
        if (change.kind != backend::edit_kind::project_out) return;
        double const square = tensor::dot(change.values, change.values);
        if (!(square > 0) || !std::isfinite(square)) {
            throw domain_error("the direction to be projected out of ", at.name(), " is zero or not finite");
        }
    }

    std::vector<backend::row_edit> edits_;
    std::vector<T> values_;
    std::map<std::pair<T const*, std::size_t>, index> places_;
};

/// What an edit does to a tangent: what is replaced does not move, what is added does not either.
template <class T>
vector_edit<T> tangent_of(vector_edit<T> const& change) {
    static constexpr T nothing[] = {0}, all[] = {1};
    switch (change.kind) {
        case backend::edit_kind::replace: return {nothing, backend::edit_kind::scale};
        case backend::edit_kind::add: return {all, backend::edit_kind::scale};
        default: return change;
    }
}

/// Edits the selected vectors of every site that matches, where the rows are: of a device the values alone go there.
/// Edits are affine in what they find, so they have derivatives. @param depends  what f depends on
template <class T>
hook_set<T> edit(std::string pattern, selection where_to, edit_of_vector<T> f, depends_on depends) {
    positions const touched = where_to.at;
    auto const acting = [&](bool on_tangents) {
        return [where_to, f, on_tangents](rows_at<T>& here) {
            edit_list<T> edits;
            each_selected(where_to, here.at, here.rows, here.shape, [&](index r, index head, index width) {
                auto const change =
                    f(here.at, here.rows[static_cast<std::size_t>(r)], head, static_cast<std::size_t>(width));
                edits.add(r, head * here.shape[1], width, on_tangents ? tangent_of(change) : change, here.at);
            });
            edits.apply(here);
        };
    };
    return hook_set<T>{{std::move(pattern), acting(false), false, depends, touched, false, acting(true)}};
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
