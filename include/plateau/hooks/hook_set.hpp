#pragma once
/// Composable sets of hooks: capture, patch, or a function of your own.

#include <concepts>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/hooks/positions.hpp>
#include <plateau/hooks/rows_at.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::hooks {

/// Where a hook was called: the layer, and what each row is.
struct where {
    int layer = -1;
    std::span<row_id const> rows;
};

/// Looks at the rows [R, A, B] of a site: [R, 1, D] for a residual vector, [R, H, E] for queries, [R, H, keys] for
/// scores and patterns (entries beyond a row's own position are −inf and 0). Called concurrently for disjoint rows;
/// the view lives until the call returns.
template <class T>
using sink = std::function<void(site const&, where const&, tensor::view<T const, 3>)>;

/// Changes the rows of a site in place. Otherwise like a sink.
template <class T>
using patcher = std::function<void(site const&, where const&, tensor::view<T, 3>)>;

/// What the values that a hook writes depend on, beside those it finds. A sweep needs to know: what is the same for all
/// points of a path belongs to the prefix that they share.
enum class depends_on : std::uint8_t {
    position,  ///< the site and the position in the prompt, whatever the prompt
    prompt,    ///< the prompt too
    row,    ///< the pair or the point, and it acts only at positions that rows own anyway: the prefix does without it
    point,  ///< the pair or the point: rows own its positions
};

/// One hook: a pattern of site names (`*` any characters, `?` one) and what to do there. The action is called
/// concurrently for disjoint rows.
template <class T>
struct hook {
    std::string pattern;
    std::function<void(rows_at<T>&)> action;
    bool reads_only = false;
    depends_on depends = depends_on::point;
    positions touched = {};    ///< where it may change something
    bool whole_items = false;  ///< in a sweep it wants all points of a pair in one call
    std::function<void(rows_at<T>&)> tangent =
        {};  ///< what a change does to tangents of these rows; none: no derivative
};

/// An ordered set of hooks. At a site they act from left to right: a capture sees what an earlier patch wrote.
template <class T>
class hook_set {
public:
    hook_set() = default;
    explicit hook_set(hook<T> one) { hooks_.push_back(std::move(one)); }

    std::vector<hook<T>> const& hooks() const { return hooks_; }
    bool empty() const { return hooks_.empty(); }

    friend hook_set operator|(hook_set left, hook_set const& right) {
        for (auto const& one : right.hooks_) left.hooks_.push_back(one);
        return left;
    }

private:
    std::vector<hook<T>> hooks_;
};

/// Calls `look` with the rows of every site that matches; changes nothing, not a bit.
/// @param look  (rows_at<T>&), or a sink
template <class T, std::invocable<rows_at<T>&> F>
hook_set<T> capture(std::string pattern, F look) {
    return hook_set<T>{{std::move(pattern), std::move(look), true}};
}
template <class T>
hook_set<T> capture(std::string pattern, sink<T> look) {
    return capture<T>(std::move(pattern), [look = std::move(look)](rows_at<T>& here) {
        look(here.at, {here.at.layer, here.rows}, here.read());
    });
}

/// Lets `change` rewrite the rows of every site that matches; what follows sees the new values.
/// @param change  (rows_at<T>&), or a patcher
/// @param depends,touched  a promise: what the new values depend on, and at which positions rows change. Without one a
///                         sweep takes every row for one that differs from point to point, and can share no prefix.
template <class T, std::invocable<rows_at<T>&> F>
hook_set<T> patch(std::string pattern, F change, depends_on depends = depends_on::point, positions touched = {}) {
    return hook_set<T>{{std::move(pattern), std::move(change), false, depends, touched}};
}
template <class T>
hook_set<T> patch(std::string pattern, patcher<T> change, depends_on depends = depends_on::point,
                  positions touched = {}) {
    auto const action = [change = std::move(change)](rows_at<T>& here) {
        change(here.at, {here.at.layer, here.rows}, here.change());
    };
    return patch<T>(std::move(pattern), action, depends, touched);
}

/// A sink that is never entered twice at once.
template <class T>
sink<T> serialised(sink<T> inner) {
    auto guard = shared<std::mutex>();
    return [guard, inner = std::move(inner)](site const& at, where const& w, tensor::view<T const, 3> rows) {
        std::lock_guard const lock{*guard};
        inner(at, w, rows);
    };
}

PLATEAU_COMPILED_CLASS(hook_set);

}  // namespace plateau::hooks
