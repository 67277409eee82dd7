#pragma once
/// Composable sets of hooks: capture, patch, or a function of your own.

#include <array>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/backend/row_edit.hpp>
#include <plateau/hooks/positions.hpp>
#include <plateau/hooks/site.hpp>
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

/// What a hook does where the rows [R, A, B] are in the memory of a CUDA device, if it can: only what it makes of them
/// then comes to the host. @return false if it cannot, of this site: the rows come to the host
template <class T>
using device_action =
    std::function<bool(backend::cuda_context const&, site const&, where const&, backend::device_view<T, 3>)>;

/// What the values that a hook writes depend on, beside those it finds. A sweep needs to know: what is the same for all
/// points of a path belongs to the prefix that they share.
enum class depends_on : std::uint8_t {
    position,  ///< the site and the position in the prompt, whatever the prompt
    prompt,    ///< the prompt too
    row,    ///< the pair or the point, and it acts only at positions that rows own anyway: the prefix does without it
    point,  ///< the pair or the point: rows own its positions
};

/// What becomes of one vector of a row where a hook does no more than one of these.
template <class T>
struct vector_edit {
    std::span<T const> values;  ///< as many as the vector has; of a scale one
    backend::edit_kind kind = backend::edit_kind::replace;
};

/// Told of one such vector: the row's number, the head, the vector's width, the change. The values need not outlive the
/// call of the lister that tells, but in that call the same place has the same values.
template <class T>
using edit_taker = std::function<void(index row, index head, index width, vector_edit<T> const&)>;

/// What a hook that only edits vectors does at a site, without the rows: where they are in a device's memory, that
/// alone goes there.
///     shape  [A, B] of a row at that site
template <class T>
using edit_lister = std::function<void(site const&, where const&, std::array<index, 2> shape, edit_taker<T> const&)>;

/// One hook: a pattern of site names (`*` any characters, `?` one) and what to do there.
template <class T>
struct hook {
    std::string pattern;
    patcher<T> action;
    bool reads_only = false;
    depends_on depends = depends_on::point;
    positions touched = {};     ///< where it may change something
    edit_lister<T> edits = {};  ///< what `action` does, if it only edits vectors
    device_action<T> on_device =
        {};  ///< what does the same on a device; none: the rows are copied to the host, and back if changed
};

/// An ordered set of hooks. At a site they act from left to right: a capture sees what an earlier patch wrote.
template <class T>
class hook_set {
public:
    hook_set() = default;
    explicit hook_set(hook<T> one) { hooks_.push_back(std::move(one)); }

    std::vector<hook<T>> const& hooks() const { return hooks_; }
    bool empty() const { return hooks_.empty(); }

    [[gnu::cold]] friend hook_set operator|(hook_set left, hook_set const& right) {
        for (auto const& one : right.hooks_) left.hooks_.push_back(one);
        return left;
    }

private:
    std::vector<hook<T>> hooks_;
};

/// Calls `look` with the rows of every site that matches; changes nothing, not a bit. @param on_device  the same on a
/// device
template <class T>
[[gnu::cold]] hook_set<T> capture(std::string pattern, sink<T> look, device_action<T> on_device = {}) {
    return hook_set<T>{
        {std::move(pattern),
         [look = std::move(look)](site const& at, where const& w, tensor::view<T, 3> rows) { look(at, w, rows); },
         true,
         depends_on::point,
         {},
         {},
         std::move(on_device)}};
}

/// Lets `change` rewrite the rows of every site that matches; what follows sees the new values.
/// @param depends,touched  a promise: what the new values depend on, and at which positions rows change. Without one a
///                         sweep takes every row for one that differs from point to point, and can share no prefix.
template <class T>
[[gnu::cold]] hook_set<T> patch(std::string pattern, patcher<T> change, depends_on depends = depends_on::point,
                                positions touched = {}) {
    return hook_set<T>{{std::move(pattern), std::move(change), false, depends, touched}};
}

/// A sink that is never entered twice at once.
template <class T>
sink<T> serialised(sink<T> inner) {
    auto guard = std::make_shared<std::mutex>();
    return [guard, inner = std::move(inner)](site const& at, where const& w, tensor::view<T const, 3> rows) {
        std::lock_guard const lock{*guard};
        inner(at, w, rows);
    };
}

}  // namespace plateau::hooks
