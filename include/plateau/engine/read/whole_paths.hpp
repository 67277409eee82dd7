#pragma once
/// The read-outs of a whole path together: for metrics that need more of it than its first point.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/read/read_out.hpp>

namespace plateau::engine {

/// Given the read-outs of a pair's points in their order, [S, width], at the prompt's last position. Called
/// concurrently, once a pair.
template <class T>
using path_sink = std::function<void(index pair, tensor::view<T const, 2> read_outs)>;

/// Hands the read-outs of whole paths to `take`, as distances to both ends or lengths of steps want them; nothing
/// outlives the call. A sweep with this hook keeps all points of a pair in one block. @param site  one name
template <class T>
hooks::hook_set<T> read_paths(std::string site, path_sink<T> take) {
    hooks::hook<T> hook{std::move(site), {}, true};
    hook.whole_items = true;
    hook.action = [take = std::move(take)](hooks::rows_at<T>& here) {
        std::vector<T> path;
        auto const collect = each_read_out<T>(here.at.name(), [&](read_out<T> const& r) {
            path.insert(path.end(), r.value.begin(), r.value.end());
            if (r.point + 1 < r.points) return;
            take(r.pair, {path.data(), {r.points, static_cast<index>(path.size()) / r.points}});
            path.clear();
        });
        collect.hooks().front().action(here);
    };
    return hooks::hook_set<T>{std::move(hook)};
}

PLATEAU_COMPILED_FUNCTION(read_paths);

}  // namespace plateau::engine
