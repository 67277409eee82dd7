#pragma once
/// Hooks called by hand, with rows on the host.

#include <algorithm>
#include <span>

#include <plateau/hooks/hook_set.hpp>
#include <plateau/nn/hooked_rows.hpp>

namespace plateau::testing {

/// Calls one hook as a pass does. @param values  [R, A, B], the last two axes dense
template <class T>
void act(hooks::hook<T> const& hook, hooks::site const& at, std::span<hooks::row_id const> ids,
         tensor::view<T, 3> values) {
    static backend::cpu_context const ctx{1};
    backend::host_copies<backend::cpu_context, T> copies{ctx};
    index const heads = std::max<index>(values.extent(1), 1);
    tensor::view<T, 2> const rows{
        values.data(), {values.extent(0), values.extent(1) * values.extent(2)}, {values.stride(0), 1}};
    nn::hooked_rows<backend::cpu_context, T> here{copies, at, ids, rows, heads};
    hook.action(here);
    here.finish();
}

/// Calls those of a set from left to right.
template <class T>
void act(hooks::hook_set<T> const& set, hooks::site const& at, std::span<hooks::row_id const> ids,
         tensor::view<T, 3> values) {
    for (auto const& one : set.hooks()) act(one, at, ids, values);
}

}  // namespace plateau::testing
