#pragma once
/// Forward passes of prompts of any length, on all threads: a long prompt goes through the layers piece by piece.

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include <plateau/models/forward.hpp>

namespace plateau::models {

namespace detail {

/// What one thread takes through all layers: prompts [first, end) as they are, or positions [start, start + rows) of
/// one.
struct piece {
    index first = 0, end = 0;
    index start = 0, rows = 0;
    bool has_next = false;  ///< the piece after this one is the same prompt's next
};

/// Short prompts share a piece, long ones are cut; the pieces of a prompt stand one after the other.
inline std::vector<piece> pieces_of(prompt_list const& prompts, index rows) {
    std::vector<piece> pieces;
    for (auto const& [first, end] : batches_of(prompts, rows)) {
        auto const length = static_cast<index>(prompts[static_cast<std::size_t>(first)].size());
        if (end - first > 1 || length <= rows) {
            pieces.push_back({first, end, 0, 0, false});
            continue;
        }
        for (index start = 0; start < length; start += rows) {
            index const count = std::min(rows, length - start);
            pieces.push_back({first, end, start, count, start + count < length});
        }
    }
    return pieces;
}

}  // namespace detail

/// Runs every prompt through the model as `forward` does, with the same bits at every hook point, but a long prompt's
/// rows come in pieces of at most `rows` positions, maybe several at once: piece c passes through layer l as soon as
/// piece c − 1 has left it, on keys and values kept. So all threads work on one prompt, and memory is that of a piece
/// per thread and the keys and values of the prompts under way.
/// @param rows  ≥ 1; 0 chooses
/// @throws as `forward`
template <class Context, class Model>
void forward_in_pieces(Context const& ctx, Model const& model, prompt_list const& prompts,
                       hooks::hook_set<typename Model::value_type> const& set, index rows = 0) {
    using T = typename Model::value_type;
    using cache = nn::kv_cache<Context, T>;
    require_prompts(model, prompts);
    hooks::plan<T> const plan{set, model.sites()};
    int const last = plan.layers_wanted(model.layers());
    bool const after = plan.wants_from(hooks::site_id::ln_final_scale),
               logits = plan.wants_from(hooks::site_id::unembed_out);
    index total = 0;
    for (auto const& prompt : prompts) total += static_cast<index>(prompt.size());
    if (rows < 1) rows = std::min(batch_rows(total, ctx), ctx.block_rows());
    auto const pieces = detail::pieces_of(prompts, rows);
    constexpr int failed = -1;
    std::vector<std::atomic<int>> passed(pieces.size());  // layers that a piece has left behind it, or that it failed
    std::vector<cache> caches(prompts.size());            // made by a prompt's first piece, given back by its last
    auto passes = nn::passes<Context, T>(ctx);
    auto const take = [&](index number, typename Model::pass_type& pass) {
        auto const p = static_cast<std::size_t>(number);
        auto const& piece = pieces[p];
        std::vector<hooks::row_id> ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> tokens;
        for (index i = piece.first; i < piece.end; ++i) {
            auto const& prompt = prompts[static_cast<std::size_t>(i)];
            auto const length = static_cast<index>(prompt.size());
            index const count = piece.rows > 0 ? piece.rows : length;
            auto* const kept = piece.rows > 0 ? &caches[static_cast<std::size_t>(i)] : nullptr;
            sequences.push_back(
                {static_cast<index>(ids.size()), count, piece.start, kept, piece.has_next ? kept : nullptr});
            for (index t = piece.start; t < piece.start + count; ++t) {
                ids.push_back({i, 0, t, t + 1 == length});
                tokens.push_back(prompt[static_cast<std::size_t>(t)]);
            }
        }
        if (piece.has_next && piece.start == 0) {
            index const positions = static_cast<index>(prompts[static_cast<std::size_t>(piece.first)].size());
            caches[static_cast<std::size_t>(piece.first)] = cache{ctx, 0, last, positions, model.kv_width()};
        }
        pass.begin(ids, sequences, &plan);
        model.embed(ctx, pass, tokens);
        for (int layer = 0; layer < last; ++layer) {
            if (piece.start > 0) {
                auto& before = passed[p - 1];
                int seen = before.load(std::memory_order_acquire);
                for (; seen != failed && seen <= layer; seen = before.load(std::memory_order_acquire))
                    before.wait(seen);
                if (seen == failed) return false;
            }
            model.run(ctx, pass, layer, layer + 1, "prompt");
            passed[p].store(layer + 1, std::memory_order_release);
            passed[p].notify_all();
        }
        if (piece.start > 0 && !piece.has_next) caches[static_cast<std::size_t>(piece.first)] = {};
        if (after) model.read_out(ctx, pass, logits);
        return true;
    };
    // pieces are handed out in order, so that the one that a piece waits for is always under way
    parallel_for(ctx.threads(), static_cast<index>(pieces.size()), [&](index number, int worker) {
        auto& own = passed[static_cast<std::size_t>(number)];
        auto const fail = [&] {
            own.store(failed, std::memory_order_release);
            own.notify_all();
        };
        try {
            if (!take(number, passes[static_cast<std::size_t>(worker)])) fail();
        } catch (...) {
            fail();
            throw;
        }
    });
    plan.require_all_fired("no row came past it");
}

}  // namespace plateau::models
