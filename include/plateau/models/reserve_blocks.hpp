#pragma once
/// How many rows travel together, and their memory, before any of them does.

#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <vector>

#include <plateau/models/transformer.hpp>

namespace plateau::models {

/// Rows of a block: `wanted`, or, if that is 0, as many as suit the backend and its memory. On a device the work
/// matrices of all passes are made, so that no block fails for want of memory when its first rows have been shown:
/// where they do not fit, half as many rows are tried, and the context's notice says so. No result depends on the
/// number.
/// @param most    rows that there are, which need no more memory than that
/// @param logits  rows have logits too
/// @throws memory_error where not even a few rows have room
template <class Context, class Model>
[[gnu::cold]] index reserve_blocks(Context const& ctx, Model const& model,
                                   std::vector<typename Model::pass_type>& passes, index wanted, index most,
                                   bool logits) {
    using T = typename Model::value_type;
    auto const each = [&](auto&& f) {
        model.blocks.front().each_work_matrix(model.width(), f);
        if (logits) f(nn::slot::logits, model.vocabulary());
    };
    index row_bytes = 0;
    each([&](nn::slot, index width) { row_bytes += width * static_cast<index>(sizeof(T)); });
    index rows = wanted > 0 ? wanted : backend::rows_that_fit(ctx, row_bytes);
    if constexpr (!std::is_same_v<typename Context::space, tensor::host_space>) {
        constexpr index fewest = 16, workspace = index{1} << 21;
        rows = std::min(rows, most);
        for (bool reserved = false; !reserved;) {
            try {
                for (auto& pass : passes) each([&](nn::slot which, index width) { pass.reserve(which, rows, width); });
                // as much again, given back at once: what operations need for themselves
                auto const spare =
                    backend::allocate<T>(ctx, std::array{rows * row_bytes / static_cast<index>(sizeof(T)) + workspace});
                reserved = true;
            } catch (memory_error const&) {
                if (rows < 2 * fewest) throw;
                for (auto& pass : passes) pass.release();
                ctx.notice(concat({"no memory for blocks of ", rows, " rows: going on with ", rows / 2}));
                rows /= 2;
            }
        }
    }
    return rows;
}

}  // namespace plateau::models
