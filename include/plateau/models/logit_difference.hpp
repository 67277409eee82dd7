#pragma once
/// How much likelier one next token is than another.

#include <array>
#include <cmath>
#include <functional>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/models/transformer.hpp>

namespace plateau::models {

/// logit(answer) − logit(wrong) at prompts' last positions: log of the ratio of their probabilities, in nats. Logits
/// have the bits of the whole unembedding, cap included, and cost two of its V columns; the difference is formed in
/// double.
template <class Context, class T>
class logit_difference {
public:
    using weight = typename Context::template weight<T>;
    /// Told of the difference at a row. Called concurrently.
    using taker = std::function<void(hooks::row_id const&, double)>;

    /// @param ctx  kept as a reference      @throws usage_error unless both are tokens of the model, and not the same
    template <class Model>
    [[gnu::cold]] logit_difference(Context const& ctx, Model const& model, token_id answer, token_id wrong)
        : ctx_{ctx}, cap_{model.logit_cap} {
        std::vector<index> const both{answer, wrong};
        for (index const token : both) {
            if (token >= 0 && token < model.vocabulary()) continue;
            throw usage_error("token ", token, " is not in the model's vocabulary [0, ", model.vocabulary(), ")");
        }
        if (answer == wrong)
            throw usage_error("the answer and the wrong answer are both token ", answer, ": give two that differ");
        auto rows = backend::allocate<T>(ctx, std::array<index, 2>{2, model.width()});
        backend::gather_rows<T>(ctx, *model.unembedding, both, rows);
        unembedding_ = stored_as(*model.unembedding, backend::to_host(ctx, rows));
        if (model.unembedding_bias.size() == 0) return;
        auto const all = backend::to_host(ctx, model.unembedding_bias);
        tensor::buffer<T, 1> bias({2});
        for (index i = 0; i < 2; ++i) bias(i) = all(both[static_cast<std::size_t>(i)]);
        bias_ = backend::moved_to(ctx, std::move(bias));
    }

    /// A hook that reads the differences of last positions. Lives no longer than this.
    /// @throws numeric_error, when it acts, if one is not finite
    hooks::hook_set<T> reads(taker take) const {
        return hooks::capture<T>(
            "unembed.hook_in",
            [this, take = std::move(take)](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
            auto found = backend::allocate<T>(ctx_, std::array<index, 2>{rows.extent(0), 2});
            tensor::view<T const, 2> const x{rows.data(), {rows.extent(0), rows.extent(2)}, {rows.stride(0), 1}};
            backend::linear<T>(ctx_, backend::in_backend(ctx_, x), {unembedding_, bias_}, found);
            if (cap_ > 0) backend::cap<T>(ctx_, found, cap_);
            auto const logits = backend::to_host(ctx_, found);
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                if (!w.rows[r].last) continue;
                auto const row = static_cast<index>(r);
                double const difference = static_cast<double>(logits(row, 0)) - static_cast<double>(logits(row, 1));
                if (!std::isfinite(difference))
                    throw numeric_error("a logit is not finite: check the weights, or compute with a wider dtype");
                take(w.rows[r], difference);
            }
            });
    }

private:
    /// The rows, which came out of a weight, as a weight that stores them as that one did.
    weight stored_as(weight const& like, tensor::buffer<T, 2> const& rows) const {
        bool const narrow = like.is_bf16();
        weight own{ctx_, rows.extent(0), rows.extent(1), narrow ? dtype::bf16 : dtype_of<T>};
        if constexpr (std::is_same_v<T, float>) {
            if (narrow) {
                tensor::buffer<bfloat16, 2> rounded(rows.extents());
                for (index i = 0; i < rows.size(); ++i) rounded.data()[i] = bfloat16(rows.data()[i]);
                own.writer().outputs(0, rounded);
                return own;
            }
        }
        own.writer().outputs(0, rows);
        return own;
    }

    Context const& ctx_;
    weight unembedding_;                            // [2, D]
    typename Context::template buffer<T, 1> bias_;  // [2], or empty
    T cap_;
};

}  // namespace plateau::models
