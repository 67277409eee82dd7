#pragma once
/// Rows of one site, given to a hook set by hand.

#include <vector>

#include <plateau/tensor/buffer.hpp>

#include "support/hooked_rows.hpp"

namespace plateau::testing {

/// Rows [R, heads, width] of a site of layer 1 that hold 1, 2, 3, …; row r is position r of a prompt of R tokens.
struct site_rows {
    hooks::site at;
    std::vector<hooks::row_id> ids;
    tensor::buffer<double, 3> values;

    site_rows(hooks::site_id id, hooks::site_axes axes, index rows, index heads, index width, index item = 0)
        : at{id, 1, axes, heads, axes == hooks::site_axes::keys ? 0 : width}, values{{rows, heads, width}} {
        for (index r = 0; r < rows; ++r) ids.push_back({item, 0, r, r + 1 == rows, false, item, rows});
        for (index i = 0; i < values.size(); ++i) values.data()[i] = static_cast<double>(i + 1);
    }

    /// A site with vectors of `width`.
    static site_rows vectors(index rows, index width) {
        return {hooks::site_id::resid_post, hooks::site_axes::vector, rows, 1, width};
    }

    void act(hooks::hook_set<double> const& set) { testing::act<double>(set, at, ids, values); }

    std::vector<double> row(index r) const {
        auto const one = values[r].flat();
        return {one.begin(), one.end()};
    }
};

}  // namespace plateau::testing
