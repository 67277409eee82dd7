#pragma once
/// Rows of a layer with their tangents: two blocks of rows that go through the layers side by side.

#include <cstdint>
#include <span>
#include <vector>

#include <plateau/backend/tangent_rows.hpp>
#include <plateau/hooks/constant_sites.hpp>
#include <plateau/nn/pass.hpp>
#include <plateau/nn/transposes.hpp>

namespace plateau::nn {

/// Values, and tangents of some of them.
template <class View>
struct dual {
    View value;    ///< [R, width]
    View tangent;  ///< [t, width]
};

/// What the rows of a block of tangents are.
struct tangent_block {
    nn::rows rows = {};                                ///< by tangent: its row again, in a sequence of its own
    std::vector<index> of = {};                        ///< by tangent: the number of that row
    std::vector<std::uint8_t> set = {};                ///< by tangent: what it takes for constant
    std::span<hooks::constant_sites const> sets = {};  ///< by number
    mutable std::vector<std::uint8_t> flags = {};      ///< the answer to the last question for what is held

    /// The tangents, and which of them are held by a set of which `frozen` says so. Until the next question.
    template <class Frozen>
    backend::tangents_of held(Frozen const& frozen) const {
        bool any = false;
        for (auto const& one : sets) any |= frozen(one);
        flags.clear();
        for (std::uint8_t const number : set) {
            if (any) flags.push_back(frozen(sets[number]) ? 1 : 0);
        }
        return {of, flags};
    }
};

/// A block of rows and its tangents in one layer: what jvp() of parts computes with.
template <class Context, class T>
struct layer_duals {
    using rows_view = typename layer_rows<Context, T>::rows_view;
    using const_rows_view = typename layer_rows<Context, T>::const_rows_view;

    layer_rows<Context, T> value;
    layer_rows<Context, T> tangent;
    tangent_block const& which;
    nn::transposes<Context, T>* transposes = nullptr;  ///< what products of cotangents take

    Context const& context() const { return value.context(); }
    dual<rows_view> matrix(work_buffer const& name, index width) const {
        return {value.matrix(name, width), tangent.matrix(name, width)};
    }

    /// The tangents, none of them held.
    backend::tangents_of all() const { return {which.of, {}}; }
    /// The tangents, with those held that take a site for constant, or one of two.
    backend::tangents_of held(hooks::site_id id) const { return held_either(id, id); }
    backend::tangents_of held_either(hooks::site_id a, hooks::site_id b) const {
        return which.held(
            [&](hooks::constant_sites const& set) { return set.holds(a, value.layer) || set.holds(b, value.layer); });
    }
    backend::tangents_of held_gates() const {
        return which.held([](hooks::constant_sites const& set) { return set.holds_gates(); });
    }

    /// True if somebody looks at tangents of a site, or takes it for constant.
    bool touched(hooks::site_id id) const { return tangent.wanted(id) || !held(id).held.empty(); }

    /// Calls the hooks of a site for the values, then holds tangents and calls theirs. @see layer_rows::hook
    void hook(hooks::site_id id, dual<rows_view> x, index heads = 1) const {
        value.hook(id, x.value, heads);
        hook_tangents(id, x.tangent, heads);
    }
    void hook_tangents(hooks::site_id id, rows_view dx, index heads = 1) const {
        hold(id, dx);
        tangent.hook(id, dx, heads);
    }
    /// The same the other way round: of cotangents that come from behind the site.
    void hook_cotangents(hooks::site_id id, rows_view g, index heads = 1) const {
        tangent.hook(id, g, heads);
        hold(id, g);
    }

private:
    void hold(hooks::site_id id, rows_view dx) const {
        auto const tangents = held(id);
        for (index t = 0; t < dx.extent(0) && !tangents.held.empty(); ++t) {
            if (tangents.is_held(t)) backend::clear<T>(context(), dx.rows(t, 1));
        }
    }
};

}  // namespace plateau::nn
