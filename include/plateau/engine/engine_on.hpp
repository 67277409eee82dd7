#pragma once
/// The engine of a model on one backend: here the templates over backend and blocks end.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/chosen_logits_on.hpp>
#include <plateau/engine/runner_on.hpp>
#include <plateau/models/concepts.hpp>

namespace plateau::engine {

/// A transformer M of elements T on the backend of Context. Owns the model, shares the context.
template <class Context, class T, models::Transformer<Context, T> M>
class engine_on final : public engine<T> {
public:
    engine_on(std::shared_ptr<Context const> ctx, M&& model)
        : engine<T>{facts_of(*ctx, model)}, ctx_{std::move(ctx)}, model_{std::move(model)} {}

    Context const& context() const { return *ctx_; }
    M const& model() const { return model_; }

    PLATEAU_INLINE std::unique_ptr<block_runner<T>> runner() const override {
        return std::unique_ptr<block_runner<T>>{new runner_on<Context, T, M>{*ctx_, model_}};
    }
    PLATEAU_INLINE std::unique_ptr<nn::kept_keys> keep(int first_layer, int layers, index positions) const override {
        return std::unique_ptr<nn::kept_keys>{
            new nn::kv_cache<Context, T>{*ctx_, first_layer, layers, positions, model_.kv_width()}};
    }
    PLATEAU_INLINE std::unique_ptr<line_ends> lines(tensor::buffer<T, 2> from, tensor::buffer<T, 2> to) const override {
        return std::unique_ptr<line_ends>{new line_ends_on<Context, T>{*ctx_, std::move(from), std::move(to)}};
    }

    PLATEAU_INLINE index reserve(std::vector<std::unique_ptr<block_runner<T>>> const& runners, index wanted, index most,
                                 bool logits) const override {
        index row_bytes = 0;
        model_.each_work_matrix(
            logits, [&](nn::work_buffer const&, index width) { row_bytes += width * static_cast<index>(sizeof(T)); });
        auto const each_work = [&](auto const& f) {
            for (auto const& one : runners) f(static_cast<runner_on<Context, T, M>&>(*one).pass().work());
        };
        index fit = backend::rows_that_fit(*ctx_, row_bytes);
        if (auto const* const turns = this->facts().turns) {
            fit = std::clamp(turns->limits().block_bytes / row_bytes, std::min(index{60}, fit), fit);
        }
        return backend::rows_with_memory<T>(
            *ctx_, wanted > 0 ? wanted : fit, most, row_bytes,
            [&](index rows) {
            each_work([&](auto& work) {
                model_.each_work_matrix(
                    logits, [&](nn::work_buffer const& which, index width) { work.reserve(which, rows, width); });
            });
            },
            [&] { each_work([](auto& work) { work.release(); }); });
    }

    PLATEAU_INLINE void summarise_logits(tensor::view<T const, 2> x, std::span<index const> references,
                                         std::span<backend::logit_summary> summaries,
                                         tensor::view<backend::scored_token<T>, 2> best) const override {
        auto const scaled = scaled_copy(x);
        auto const stay = models::stay_with_unembedding(model_);
        backend::summarise_logits<T>(*ctx_, backend::viewed_by(*ctx_, scaled.size() > 0 ? scaled.view() : x),
                                     model_.head(), model_.logit_cap, references, summaries, best);
    }
    PLATEAU_INLINE void log_probabilities(tensor::view<T const, 2> x, std::span<index const> targets,
                                          std::span<double> result) const override {
        auto const scaled = scaled_copy(x);
        auto const stay = models::stay_with_unembedding(model_);
        backend::log_probabilities<T>(*ctx_, backend::viewed_by(*ctx_, scaled.size() > 0 ? scaled.view() : x),
                                      model_.head(), model_.logit_cap, targets, result);
    }

    PLATEAU_INLINE typename engine<T>::unembedded unembedding_of(std::vector<index> const& tokens) const override {
        auto const stay = models::stay_with_unembedding(model_);
        auto const bias = backend::to_host(*ctx_, model_.unembedding_bias);
        auto rows = backend::allocate<T>(*ctx_, std::array{static_cast<index>(tokens.size()), model_.width()});
        if (!tokens.empty()) backend::gather_rows<T>(*ctx_, *model_.unembedding, tokens, rows);
        T const scale = models::logit_scale_of<T>(model_);
        if (scale != T{1}) backend::scale<T>(*ctx_, rows, scale);
        typename engine<T>::unembedded found{backend::to_host(*ctx_, rows), {}};
        for (index const token : tokens) {
            found.biases.push_back(bias.size() > 0 ? static_cast<double>(scale * bias(token)) : 0);
        }
        return found;
    }
    PLATEAU_INLINE std::unique_ptr<chosen_logits<T>> logits_of(std::vector<index> const& tokens) const override {
        auto const stay = models::stay_with_unembedding(model_);
        return std::unique_ptr<chosen_logits<T>>{new chosen_logits_on<Context, T>{*ctx_, model_, tokens}};
    }

private:
    /// What the unembedding takes, multiplied where the logits are, since the product is linear; empty elsewhere.
    tensor::buffer<T, 2> scaled_copy(tensor::view<T const, 2> x) const {
        T const scale = models::logit_scale_of<T>(model_);
        if (scale == T{1}) return {};
        tensor::buffer<T, 2> scaled(x.extents());
        for (index r = 0; r < x.extent(0); ++r) {
            for (index i = 0; i < x.extent(1); ++i) scaled(r, i) = scale * x(r, i);
        }
        return scaled;
    }

    PLATEAU_INLINE static model_facts facts_of(Context const& ctx, M const& model) {
        model_facts facts;
        facts.sites = model.sites();
        facts.layers = model.layers();
        facts.width = model.width();
        facts.vocabulary = model.vocabulary();
        facts.tokens = model.embedding->outputs();
        facts.context_length = model.context_length;
        facts.kv_width = model.kv_width();
        facts.logit_cap = static_cast<double>(model.logit_cap);
        facts.threads = ctx.threads();
        facts.block_rows = ctx.block_rows();
        if constexpr (requires { model.rope_lengths(); }) facts.ropes = model.rope_lengths();
        if constexpr (requires { model.turns->limits(); }) facts.turns = model.turns.get();
        return facts;
    }

    std::shared_ptr<Context const> ctx_;
    M model_;
};

}  // namespace plateau::engine
