#pragma once
/// Distances of read-outs from that of the path's first point, formed where the rows are.

#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/read/read_out.hpp>
#include <plateau/metrics/l2_distance.hpp>

namespace plateau::engine {

/// A hook for a sweep: result(p, i) = ‖F(x_p(α_i)) − F(x_p(α_0))‖₂ with F the value of a site at the last position.
/// @param result  [P, S], to live as long
template <class T>
PLATEAU_INLINE hooks::hook_set<T> read_distances(std::string site, tensor::view<double, 2> result) {
    auto look = [result](hooks::rows_at<T>& here) {
        // each row of scores has a width of its own
        if (here.at.axes == hooks::site_axes::keys) {
            return for_each_read_out<T>(here, [&](read_out<T> const& r) {
                result(r.pair, r.point) = metrics::l2_distance<T>(r.reference, r.value);
            });
        }
        last_rows const last{here.rows};
        std::vector<index> references(here.rows.size());  // rows that are not last ones go with the first
        for (index i = 0; i < last.count(); ++i) {
            auto const reference = static_cast<std::size_t>(last.references[static_cast<std::size_t>(i)]);
            references[static_cast<std::size_t>(last.rows[static_cast<std::size_t>(i)])] = last.rows[reference];
        }
        std::vector<double> distances(here.rows.size());
        here.distances(references, distances);
        for (index const r : last.rows) {
            auto const& row = here.rows[static_cast<std::size_t>(r)];
            if (!row.reference_copy) result(row.item, row.point) = distances[static_cast<std::size_t>(r)];
        }
    };
    return hooks::capture<T>(std::move(site), std::move(look));
}

PLATEAU_COMPILED_FUNCTION(read_distances);

}  // namespace plateau::engine
