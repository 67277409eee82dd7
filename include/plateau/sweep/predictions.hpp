#pragma once
/// What the model predicts along paths: divergence from the first point, and the likeliest next tokens.

#include <optional>
#include <span>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/hooks/hook_set.hpp>

namespace plateau::sweep {

/// Next-token predictions at the last position of pairs × points rows, P × S; p(α) is the softmax of a row's logits.
template <class T>
struct predictions {
    tensor::buffer<double, 2> kl_from_start;           ///< [P, S]: KL(p(0) ‖ p(α)), nats
    tensor::buffer<double, 2> kl_to_start;             ///< [P, S]: KL(p(α) ‖ p(0)), nats
    tensor::buffer<double, 2> log_sum_exp;             ///< [P, S]: log p_v = logit_v − this
    tensor::buffer<backend::scored_token<T>, 3> best;  ///< [P, S, k]: the likeliest tokens, the first one first

    predictions() = default;
    /// @param k  tokens to keep per point, 0 for none
    predictions(index pairs, index points, index k)
        : kl_from_start{{pairs, points}}, kl_to_start{{pairs, points}}, log_sum_exp{{pairs, points}}, best{{pairs,
                                                                                                            points,
                                                                                                            k}} {}
};

namespace detail {

/// The rows at their prompts' last positions, each with its pair's point 0, which comes before it in every block.
template <class T>
struct last_rows {
    tensor::buffer<T, 2> values;    ///< [rows, D]
    std::vector<index> references;  ///< by number among these rows
    std::vector<hooks::row_id> ids;

    last_rows(hooks::where const& w, tensor::view<T const, 3> rows) {
        std::vector<index> from;
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            if (!w.rows[r].last) continue;
            bool const first = w.rows[r].point == 0;
            references.push_back(first ? static_cast<index>(ids.size()) : references.back());
            ids.push_back(w.rows[r]);
            from.push_back(static_cast<index>(r));
        }
        values = tensor::buffer<T, 2>({static_cast<index>(from.size()), rows.extent(2)});
        for (std::size_t i = 0; i < from.size(); ++i) {
            std::copy_n(rows[from[i]].data(), rows.extent(2), values[static_cast<index>(i)].data());
        }
    }
};

}  // namespace detail

/// A hook that fills `result` block by block, for any sweep with a read site or none: it reads the final norm's output
/// and multiplies it by the unembedding, a few tokens at a time.
/// @param ctx,model  kept as references      @param result  of the sweep's pairs and points; kept as a reference
template <class Context, class Model>
hooks::hook_set<typename Model::value_type> read_predictions(Context const& ctx, Model const& model,
                                                             predictions<typename Model::value_type>& result) {
    using T = typename Model::value_type;
    return hooks::capture<T>("unembed.hook_in",
                             [&](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
        detail::last_rows<T> const last{w, rows};
        auto const count = static_cast<index>(last.ids.size());
        std::vector<backend::logit_summary> summaries(last.ids.size());
        tensor::buffer<backend::scored_token<T>, 2> best({count, result.best.extent(2)});
        backend::summarise_logits<T>(ctx, backend::in_backend<T>(ctx, last.values), model.head(), model.logit_cap,
                                     last.references, summaries, best);
        for (index i = 0; i < count; ++i) {
            auto const& row = last.ids[static_cast<std::size_t>(i)];
            if (row.repeated) continue;
            auto const& summary = summaries[static_cast<std::size_t>(i)];
            result.kl_from_start(row.item, row.point) = summary.kl_from_reference;
            result.kl_to_start(row.item, row.point) = summary.kl_to_reference;
            result.log_sum_exp(row.item, row.point) = summary.log_sum_exp;
            std::copy_n(best[i].data(), best.extent(1), result.best[row.item][row.point].data());
        }
    });
}

}  // namespace plateau::sweep
