#pragma once
/// Takes blocks of rows through a model on a backend: start, layers, read-out.

#include <algorithm>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/engine.hpp>
#include <plateau/engine/line_ends_on.hpp>
#include <plateau/nn/pass.hpp>

namespace plateau::engine {

/// The only caller of a model's embed, run and read_out.
template <class Context, class T, class M>
class runner_on : public block_runner<T> {
public:
    /// @param ctx,model  kept as references
    runner_on(Context const& ctx, M const& model) : ctx_{ctx}, model_{model}, pass_{ctx} {}

    PLATEAU_INLINE bool run(block_run<T> const& run) override {
        begin(run);
        start(run);
        if (!run.enter && !run.left) {
            model_.run(pass_, run.first, run.last, run.item);
        } else {
            for (int layer = run.first; layer < run.last; ++layer) {
                if (run.enter && !run.enter(layer)) return false;
                model_.run(pass_, layer, layer + 1, run.item);
                if (run.left) run.left(layer);
            }
        }
        if (run.keys_and_values_of >= 0) model_.record_keys_and_values(pass_, run.keys_and_values_of);
        if (run.read_out) {
            pass_.drop_unobserved();
            model_.read_out(pass_, run.logits);
        }
        return true;
    }

    PLATEAU_INLINE tensor::buffer<T, 2> logits_of(std::vector<index> const& rows) override {
        auto const& last = has_logits_ ? nn::logits_buffer : has_read_out_ ? nn::norm_out_buffer : nn::residual_buffer;
        auto const matrix = pass_.matrix(last, has_logits_ ? model_.vocabulary() : model_.width());
        nn::rows some;
        for (std::size_t i = 0; i < rows.size(); ++i) {  // they move to the front
            some.ids.push_back(pass_.ids()[static_cast<std::size_t>(rows[i])]);
            auto const to = static_cast<index>(i);
            if (rows[i] != to) backend::copy<T>(ctx_, matrix.rows(rows[i], 1), matrix.rows(to, 1));
        }
        pass_.begin(some, nullptr);
        if (!has_read_out_) model_.read_out(pass_, true);
        else if (!has_logits_) model_.unembed(pass_);
        auto const logits = pass_.matrix(nn::logits_buffer, model_.vocabulary());
        backend::host_rows<Context, T> shown{pass_.copies(), logits};
        auto const on_host = shown.read();
        auto result = tensor::buffer<T, 2>::for_overwrite(logits.extents());
        std::copy_n(on_host.data(), on_host.size(), result.data());
        return result;
    }

    nn::pass<Context, T>& pass() { return pass_; }

protected:
    M const& model() const { return model_; }

    PLATEAU_INLINE void begin(block_run<T> const& run) {
        keep(run.start.kept);  // of the block before
        pass_.begin(run.rows, run.plan, run.observed);
        has_read_out_ = run.read_out;
        has_logits_ = run.read_out && run.logits;
    }

    /// Rows as they start.
    PLATEAU_INLINE void start(block_run<T> const& run) {
        auto const& from = run.start;
        if (from.embeds()) return model_.embed(pass_, run.rows.tokens);
        auto const residual = pass_.residual(model_.width());
        auto const made = static_cast<index>(from.line_of.size());
        if (made > 0) {
            static_cast<line_ends_on<Context, T> const&>(*from.lines)
                .write(ctx_, from.line_of, from.fractions, residual.rows(0, made));
        }
        if (from.write && made < residual.extent(0)) {
            backend::host_rows<Context, T> others{pass_.copies(), residual.rows(made, residual.extent(0) - made)};
            from.write(others.write());
            others.finish();
        }
        if (from.shown_at != nullptr) pass_.hook(from.shown_at->id, from.shown_at->layer, residual);
    }

private:
    /// Moves rows of the block before to the front of the residual stream, by way of another matrix.
    PLATEAU_INLINE void keep(std::vector<nn::sequence> const& kept) {
        if (kept.empty()) return;
        auto const residual = pass_.residual(model_.width()), moved = pass_.matrix(nn::added_buffer, model_.width());
        index count = 0;
        for (auto const& one : kept) {
            backend::copy<T>(ctx_, residual.rows(one.first_row, one.rows), moved.rows(count, one.rows));
            count += one.rows;
        }
        backend::copy<T>(ctx_, moved.rows(0, count), residual.rows(0, count));
    }

    Context const& ctx_;
    M const& model_;
    nn::pass<Context, T> pass_;
    bool has_read_out_ = false, has_logits_ = false;
};

}  // namespace plateau::engine
