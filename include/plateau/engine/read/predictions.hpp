#pragma once
/// Predictions along paths: divergence from the first point, and the likeliest next tokens.

#include <algorithm>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/engine.hpp>
#include <plateau/engine/read/read_out.hpp>

namespace plateau::engine {

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

/// A hook that fills `result` block by block, for any sweep with a read site or none: it reads the final norm's output
/// and multiplies it by the unembedding, a few tokens at a time.
/// @param engine  kept as a reference      @param result  of the sweep's pairs and points; kept as a reference
template <class T>
hooks::hook_set<T> read_predictions(engine<T> const& engine, predictions<T>& result) {
    auto look = [&](hooks::rows_at<T>& here) {
        last_rows const last{here.rows};
        auto const rows = here.read();
        tensor::buffer<T, 2> x({last.count(), here.shape[1]});
        for (index i = 0; i < last.count(); ++i) {
            std::copy_n(rows[last.rows[static_cast<std::size_t>(i)]].data(), here.shape[1], x[i].data());
        }
        std::vector<backend::logit_summary> summaries(last.rows.size());
        tensor::buffer<backend::scored_token<T>, 2> best({last.count(), result.best.extent(2)});
        engine.summarise_logits(x, last.references, summaries, best);
        for (index i = 0; i < last.count(); ++i) {
            auto const& row = here.rows[static_cast<std::size_t>(last.rows[static_cast<std::size_t>(i)])];
            if (row.reference_copy) continue;
            auto const& summary = summaries[static_cast<std::size_t>(i)];
            result.kl_from_start(row.item, row.point) = summary.kl_from_reference;
            result.kl_to_start(row.item, row.point) = summary.kl_to_reference;
            result.log_sum_exp(row.item, row.point) = summary.log_sum_exp;
            std::copy_n(best[i].data(), best.extent(1), result.best[row.item][row.point].data());
        }
    };
    return hooks::capture<T>("unembed.hook_in", std::move(look));
}

PLATEAU_COMPILED_FUNCTION(read_predictions);

}  // namespace plateau::engine
