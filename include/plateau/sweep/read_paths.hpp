#pragma once
/// The read-outs of a whole path together: for metrics that need more of it than its first point.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/hooks/hook_set.hpp>

namespace plateau::sweep {

/// Given the read-outs of a pair's points in their order, [S, width], at the prompt's last position. Called
/// concurrently, once a pair.
template <class T>
using path_taker = std::function<void(index pair, tensor::view<T const, 2> read_outs)>;

/// Hands the read-outs of whole paths to `take`, as distances to both ends or lengths of steps want them; nothing
/// outlives the call.
/// @param site    one name      @param points  S, as the sweep has it, which must keep whole pairs (`whole_pairs`)
/// @throws usage_error from the sweep, if it does not
template <class T>
[[gnu::cold]] hooks::hook_set<T> read_paths(std::string site, index points, path_taker<T> take) {
    return hooks::capture<T>(
        std::move(site),
        [points, take = std::move(take)](hooks::site const& at, hooks::where const& w, tensor::view<T const, 3> rows) {
        std::vector<T> path;
        index seen = 0;
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            if (!row.last) continue;
            if (row.point != seen)
                throw usage_error("the points of a pair came in several blocks: read_paths needs whole_pairs");
            auto const values = rows[static_cast<index>(r)];
            // a row of scores or patterns ends with its own key
            index const width = at.axes == hooks::site_axes::keys ? row.position + 1 : values.extent(1);
            for (index a = 0; a < values.extent(0); ++a)
                path.insert(path.end(), values[a].data(), values[a].data() + width);
            if (++seen < points) continue;
            take(row.item, {path.data(), {points, static_cast<index>(path.size()) / points}});
            path.clear();
            seen = 0;
        }
        if (seen != 0) throw usage_error("the points of a pair came in several blocks: read_paths needs whole_pairs");
        });
}

}  // namespace plateau::sweep
