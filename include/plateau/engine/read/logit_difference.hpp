#pragma once
/// The logit difference of two next tokens.

#include <cmath>
#include <functional>
#include <memory>
#include <utility>

#include <plateau/core/macros.hpp>
#include <plateau/engine/engine.hpp>

namespace plateau::engine {

/// logit(answer) − logit(wrong) at prompts' last positions: log of the ratio of their probabilities, in nats. Logits
/// have the bits of the whole unembedding, cap included, and cost two of its V columns; the difference is formed in
/// double.
template <class T>
class logit_difference {
public:
    /// Told of the difference at a row. Called concurrently.
    using sink = std::function<void(hooks::row_id const&, double)>;

    /// @throws usage_error unless both are tokens of the model, and not the same
    logit_difference(engine<T> const& engine, token_id answer, token_id wrong) {
        index const vocabulary = engine.facts().vocabulary;
        for (index const token : {answer, wrong}) {
            if (token >= 0 && token < vocabulary) continue;
            throw usage_error("token ", token, " is not in the model's vocabulary [0, ", vocabulary, ")");
        }
        if (answer == wrong) {
            throw usage_error("the answer and the wrong answer are both token ", answer, ": give two that differ");
        }
        logits_ = engine.logits_of(std::vector<index>{answer, wrong});
    }

    /// A hook that reads the differences of last positions. Lives no longer than this.
    /// @throws numeric_error, when it acts, if one is not finite
    hooks::hook_set<T> reads(sink take) const {
        auto look = [this, take = std::move(take)](hooks::rows_at<T>& here) {
            auto const rows = here.read();
            auto const logits = logits_->of({rows.data(), {rows.extent(0), here.shape[1]}, {rows.stride(0), 1}});
            for (index r = 0; r < here.count(); ++r) {
                auto const& row = here.rows[static_cast<std::size_t>(r)];
                if (!row.last) continue;
                double const difference = static_cast<double>(logits(r, 0)) - static_cast<double>(logits(r, 1));
                if (!std::isfinite(difference)) {
                    throw numeric_error("a logit is not finite: check the weights, or compute with a wider dtype");
                }
                take(row, difference);
            }
        };
        return hooks::capture<T>("unembed.hook_in", std::move(look));
    }

private:
    std::unique_ptr<chosen_logits<T>> logits_;
};

PLATEAU_COMPILED_CLASS(logit_difference);

}  // namespace plateau::engine
