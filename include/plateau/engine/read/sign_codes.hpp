#pragma once
/// Sign codes of whole paths, formed where the rows are.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/backend/sign_codes.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/engine/read/read_out.hpp>

namespace plateau::engine {

/// Given the sign codes of a pair's points in their order, [S, ⌈width / 64⌉], at the prompt's last position. Called
/// concurrently, once a pair.
using code_sink = std::function<void(index pair, tensor::view<std::uint64_t const, 2> codes)>;

/// Hands the sign codes of whole paths to `take`: a 64th of what the values of fp64 would be. A sweep with this hook
/// keeps all points of a pair in one block. @param site  one name, of a vector      @see backend::sign_codes
template <class T>
hooks::hook_set<T> read_sign_codes(std::string site, code_sink take) {
    hooks::hook<T> hook{std::move(site), {}, true};
    hook.whole_items = true;
    hook.action = [take = std::move(take)](hooks::rows_at<T>& here) {
        tensor::buffer<std::uint64_t, 2> codes({here.count(), backend::words_of_signs(here.shape[0] * here.shape[1])});
        here.sign_codes(codes);
        std::vector<std::uint64_t> path;
        last_rows const last{here.rows};
        for (index const r : last.rows) {
            auto const& row = here.rows[static_cast<std::size_t>(r)];
            auto const code = codes[r].flat();
            if (!row.reference_copy) path.insert(path.end(), code.begin(), code.end());
            if (row.point + 1 < row.points) continue;
            take(row.item, {path.data(), {row.points, codes.extent(1)}});
            path.clear();
        }
    };
    return hooks::hook_set<T>{std::move(hook)};
}

PLATEAU_COMPILED_FUNCTION(read_sign_codes);

}  // namespace plateau::engine
