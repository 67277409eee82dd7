#pragma once
/// A read-out of one point beside that of its pair's first point.

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/hooks/recording.hpp>

namespace plateau::engine {

/// What one point reads out at a site, at its prompt's last position, beside what point 0 of its pair reads out there.
template <class T>
struct read_out {
    index pair, point;
    index points;                         ///< of the pair
    std::span<T const> value, reference;  ///< [A · B]; of scores and patterns the keys up to the last position
};

/// Calls f for the read-outs among a block's rows at a site. @see each_read_out
template <class T, class F>
void for_each_read_out(hooks::rows_at<T>& here, F const& f) {
    auto const values = here.read();
    std::vector<T> reference, value;
    for (index r = 0; r < here.count(); ++r) {
        auto const& row = here.rows[static_cast<std::size_t>(r)];
        if (!row.last) continue;
        value = hooks::detail::row_values<T>(here.at, row, values[r]);
        if (row.point == 0) reference = value;
        if (!row.reference_copy) f(read_out<T>{row.item, row.point, row.points, value, reference});
    }
}

/// Calls f once for every pair and point, in the order of the points of a block, concurrently for different blocks;
/// rows that are evaluated again as a reference are not told of. @param f  (read_out<T> const&)
template <class T, class F>
hooks::hook_set<T> each_read_out(std::string site, F f) {
    return hooks::capture<T>(std::move(site),
                             [f = std::move(f)](hooks::rows_at<T>& here) { for_each_read_out<T>(here, f); });
}

/// The rows of a block at their prompts' last positions, and by such row the number of its pair's point 0 among them,
/// which comes before it in every block.
struct last_rows {
    std::vector<index> rows, references;

    explicit last_rows(std::span<hooks::row_id const> ids) {
        for (std::size_t r = 0; r < ids.size(); ++r) {
            if (!ids[r].last) continue;
            auto const number = static_cast<index>(rows.size());
            references.push_back(ids[r].point == 0 ? number : references.back());
            rows.push_back(static_cast<index>(r));
        }
    }

    index count() const { return static_cast<index>(rows.size()); }
};

}  // namespace plateau::engine
