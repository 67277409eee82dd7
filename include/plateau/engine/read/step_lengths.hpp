#pragma once
/// Step lengths of a read-out from point to point of a path, formed where the rows are.

#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/read/read_out.hpp>

namespace plateau::engine {

/// A hook for a sweep: lengths(p, i) = ‖F(x_p(α_{i+1})) − F(x_p(α_i))‖₂ with F the value of a site at the last
/// position. A sweep with it keeps all points of a pair in one block.
/// @param site  one name, of a vector      @param lengths  [P, S − 1], to live as long
template <class T>
hooks::hook_set<T> read_step_lengths(std::string site, tensor::view<double, 2> lengths) {
    hooks::hook<T> hook{std::move(site), {}, true};
    hook.whole_items = true;
    hook.action = [lengths](hooks::rows_at<T>& here) {
        std::vector<index> before(here.rows.size());
        std::vector<double> moved(here.rows.size());
        last_rows const last{here.rows};
        for (std::size_t i = 0; i < last.rows.size(); ++i) {
            auto const r = static_cast<std::size_t>(last.rows[i]);
            before[r] = last.rows[here.rows[r].point == 0 ? i : i - 1];
        }
        here.distances(before, moved);
        for (index const r : last.rows) {
            auto const& row = here.rows[static_cast<std::size_t>(r)];
            if (row.point > 0) lengths(row.item, row.point - 1) = moved[static_cast<std::size_t>(r)];
        }
    };
    return hooks::hook_set<T>{std::move(hook)};
}

PLATEAU_COMPILED_FUNCTION(read_step_lengths);

}  // namespace plateau::engine
