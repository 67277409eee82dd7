#pragma once
/// Takes blocks of rows through a model with the tangents that travel behind them.

#include <algorithm>

#include <plateau/engine/carried_tangents.hpp>
#include <plateau/engine/runner_on.hpp>

namespace plateau::engine {

/// A runner whose companions are `carried_tangents`. Rows have the bits that they have without.
template <class Context, class T, class M>
class tangent_runner_on final : public runner_on<Context, T, M> {
    using base = runner_on<Context, T, M>;

public:
    /// @param ctx,model  kept as references
    tangent_runner_on(Context const& ctx, M const& model) : base{ctx, model}, pass_{ctx} {}

    bool run(block_run<T> const& run) override {
        if (run.companion == nullptr) return base::run(run);
        auto const& carried = static_cast<carried_tangents<T> const&>(*run.companion);
        auto const& model = this->model();
        auto& values = this->pass();
        this->begin(run);
        values.expect_tangents();
        carried.fill(block_, run.rows, run.observed < 0 ? run.rows.count() : run.observed);
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
};

}  // namespace plateau::engine
