#pragma once
/// The runner of blocks of rows with the tangents that travel behind them, or the cotangents that come back.

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/engine/carried_cotangents.hpp>
#include <plateau/engine/carried_tangents.hpp>
#include <plateau/engine/runner_on.hpp>

namespace plateau::engine {

/// A runner that keeps the values of rows for cotangents.
class keeps_values {
public:
    virtual ~keeps_values() = default;
    /// Bytes of a row.
    virtual index kept_row_bytes() const = 0;
};

/// A runner whose companions are `carried_tangents` or `carried_cotangents`. Rows have the bits that they have without.
template <class Context, class T, class M>
class tangent_runner_on final : public runner_on<Context, T, M>, public keeps_values {
    using base = runner_on<Context, T, M>;

public:
    /// @param ctx,model  kept as references
    /// @param transposes  of the model's weights, shared
    tangent_runner_on(Context const& ctx, M const& model, std::shared_ptr<nn::transposes<Context, T>> transposes)
        : base{ctx, model}, pass_{ctx}, transposes_{std::move(transposes)} {}

    index kept_row_bytes() const override {
        if constexpr (M::has_vjp) return this->model().kept_row_bytes();
        return 1;
    }

    bool run(block_run<T> const& run) override {
        if (run.companion == nullptr) return base::run(run);
        index const observed = run.observed < 0 ? run.rows.count() : run.observed;
        if (auto const* const back = dynamic_cast<carried_cotangents<T> const*>(run.companion)) {
            if constexpr (M::has_vjp) run_back(run, *back, observed);
            else throw usage_error("a part of this model has no derivative backwards: give it vjp() beside jvp()");
            return true;
        }
        auto const& carried = static_cast<carried_tangents<T> const&>(*run.companion);
        auto const& model = this->model();
        auto& values = this->pass();
        this->begin(run);
        values.skip_looks(run.part.first > 0);
        values.expect_tangents();
        carried.fill(block_, run.rows, observed, run.part);
        pass_.begin(block_.rows, &carried.plan());
        if (run.start.embeds()) {
            model.embed(values, pass_, block_, run.rows.tokens);
        } else {
            this->start(run);
            start_tangents(run, carried);
        }
        model.run(values, pass_, block_, run.first, run.last, run.item);
        if (!run.read_out) return true;
        values.drop_unobserved();
        model.read_out(values, pass_, block_, run.logits);
        return true;
    }

private:
    /// The rows forwards, each layer's values kept, then the cotangents backwards.
    void run_back(block_run<T> const& run, carried_cotangents<T> const& carried, index observed) {
        auto const& model = this->model();
        auto& values = this->pass();
        kept_.inputs_only = carried.computes_again(run.rows.count() * model.kept_row_bytes());
        this->begin(run);
        values.skip_looks(run.part.first > 0);
        this->start(run);
        model.run_kept(values, kept_, run.first, run.last, run.item);
        if (run.read_out) {
            values.drop_unobserved();
            model.read_out(values, run.logits);
        }
        carried.fill(block_, run.rows, observed, run.part);
        pass_.begin(block_.rows, &carried.plan());
        typename M::backward const back{values, pass_, block_, kept_, *transposes_};
        model.vjp(back, run.first, run.last, run.read_out, run.logits);
        if (run.start.embeds()) model.vjp_of_embedding(back);
        if (!carried.ends_with_rows()) return;
        auto const g = pass_.residual(model.width());
        if (run.start.shown_at != nullptr) pass_.hook(run.start.shown_at->id, run.start.shown_at->layer, g);
        backend::host_rows<Context, T> shown{pass_.copies(), g};
        carried.take(block_.rows.ids, shown.read());
    }

    void start_tangents(block_run<T> const& run, carried_tangents<T> const& carried) {
        auto const dx = pass_.residual(this->model().width());
        backend::host_rows<Context, T> shown{pass_.copies(), dx};
        auto const rows = shown.write();
        for (index t = 0; t < rows.extent(0); ++t) std::fill_n(rows[t].data(), rows.extent(1), T{0});
        if (carried.starts_with_rows()) carried.write(block_.rows.ids, rows);
        shown.finish();
        if (run.start.shown_at != nullptr) pass_.hook(run.start.shown_at->id, run.start.shown_at->layer, dx);
    }

    nn::pass<Context, T> pass_;
    nn::tangent_block block_;
    typename M::kept_layers kept_;  // of the rows
    std::shared_ptr<nn::transposes<Context, T>> transposes_;
};

}  // namespace plateau::engine
