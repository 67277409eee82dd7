#pragma once
/// One block of rows on its way through the layers: what the rows are, their memory, and who looks.

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/plan.hpp>
#include <plateau/nn/hooked_rows.hpp>
#include <plateau/nn/kv_cache.hpp>
#include <plateau/nn/not_finite.hpp>
#include <plateau/nn/position_angles.hpp>

namespace plateau::nn {

/// A block of R rows. Owned by one thread, reused for block after block: memory grows to the largest.
template <class Context, class T>
class pass {
public:
    using context_type = Context;
    using value_type = T;
    using space = typename Context::space;
    using rows_view = tensor::view<T, 2, space>;
    using const_rows_view = tensor::view<T const, 2, space>;

    /// @param ctx  kept as a reference
    explicit pass(Context const& ctx) : ctx_{&ctx}, work_{ctx}, copies_{ctx} {}

    Context const& context() const { return *ctx_; }
    workspace<Context, T>& work() { return work_; }
    /// Memory for host code to see rows in.
    backend::host_copies<Context, T>& copies() { return copies_; }

    /// @param rows  kept as a reference      @param plan  may be null; kept as a reference
    /// @param observed  rows that hooks see, the first ones; negative for all
    void begin(nn::rows const& rows, hooks::plan<T> const* plan, index observed = -1) {
        rows_ = &rows;
        count_ = rows.count();
        observed_ = observed < 0 ? count_ : observed;
        plan_ = plan;
        has_tangents_ = skips_looks_ = false;
        elsewhere_ = nullptr;
        angles_.begin();
        attention_.begin();
    }

    /// Says that tangents follow the rows: parts keep what these need, and they alone.
    void expect_tangents() { has_tangents_ = true; }
    bool has_tangents() const { return has_tangents_; }

    /// Says that the rows have been here before: hooks that only look are not called again.
    void skip_looks(bool skip) { skips_looks_ = skip; }
    /// Calls f, which computes once more what all rows had been.
    template <class F>
    void once_more(F&& f) {
        count_ = rows_->count();
        bool const before = std::exchange(skips_looks_, true);
        f();
        skips_looks_ = before;
    }

    /// Goes on without the rows that hooks do not see, where no layer with sequences follows.
    void drop_unobserved() { count_ = observed_; }

    index rows() const { return count_; }
    std::span<hooks::row_id const> ids() const { return {rows_->ids.data(), static_cast<std::size_t>(count_)}; }
    /// Of the rows that hooks see.
    std::span<hooks::row_id const> observed_ids() const { return ids().first(static_cast<std::size_t>(observed_)); }
    std::span<sequence const> sequences() const { return rows_->sequences; }

    /// A work matrix [R, width].
    rows_view matrix(work_buffer const& which, index width) {
        return (elsewhere_ == nullptr ? work_ : *elsewhere_).matrix(which, rows(), width);
    }
    rows_view residual(index width) { return work_.matrix(residual_buffer, rows(), width); }
    /// Puts all work matrices but the residual stream somewhere else, to stay there: null for where they were.
    void work_in(workspace<Context, T>* elsewhere) { elsewhere_ = elsewhere; }

    /// Keys a row sees at most.
    index keys() const {
        index most = 0;
        for (auto const& part : sequences()) most = std::max(most, part.start + part.rows);
        return most;
    }

    /// cos and sin of every row's position, [R, E/2]. Computed once per block for the layers that share `rotary`.
    std::array<const_rows_view, 2> angles(rope const& rotary) {
        return angles_.of(rotary, *rows_, count_, work_, copies_);
    }
    bool has_angles(rope const& rotary) const { return angles_.has(rotary); }

    /// The sequences as the attention of `layer` sees them.
    PLATEAU_INLINE std::span<backend::segment<T, space> const> segments(int layer) {
        segments_.clear();
        for (auto const& part : sequences()) {
            backend::segment<T, space> s{part.first_row, part.rows, {}, {}};
            if (part.start > 0) {
                auto const& prefix = kv_cache<Context, T>::of(*part.prefix);
                s.prefix_keys = prefix.keys(layer).rows(0, part.start);
                s.prefix_values = prefix.values(layer).rows(0, part.start);
            }
            segments_.push_back(s);
        }
        return segments_;
    }

    /// By segment: how far the keys and values of the next layer are.
    std::vector<backend::prefix_layers> prefix_layers(int layer) const {
        std::vector<backend::prefix_layers> steps;
        for (auto const& part : sequences()) {
            steps.push_back({layer, part.start > 0 ? kv_cache<Context, T>::of(*part.prefix).layer_step() : 0});
        }
        return steps;
    }

    /// z = attention of the block's rows in `layer`. @param z  [R, H · E]
    void attend(backend::attention_shape<T> const& shape, int layer, backend::attention_rows<T, space> const& own,
                rows_view z) {
        backend::attend(*ctx_, shape, own, *this, layer, attention_, z);
    }
    /// Makes what attentions of this shape share, before the first of them.
    void prepare_attention(backend::attention_shape<T> const& shape, int layer) {
        backend::prepare_attention(*ctx_, shape, *this, layer, attention_);
    }

    /// Keeps the keys and values of the sequences that record them. @param keys,values  [R, KV · E]
    PLATEAU_INLINE void record(int layer, const_rows_view keys, const_rows_view values) {
        for (auto const& part : sequences()) {
            if (part.record == nullptr) continue;
            auto& kept = kv_cache<Context, T>::of(*part.record);
            index const count = std::min(part.rows, kept.positions() - part.start);
            if (count <= 0 || !kept.holds(layer)) continue;
            backend::copy<T>(*ctx_, keys.rows(part.first_row, count), kept.keys(layer).rows(part.start, count));
            backend::copy<T>(*ctx_, values.rows(part.first_row, count), kept.values(layer).rows(part.start, count));
        }
    }

    /// Calls f while nobody looks.
    template <class F>
    void without_hooks(F&& f) {
        auto const* const plan = std::exchange(plan_, nullptr);
        f();
        plan_ = plan;
    }

    bool wanted(hooks::site_id id, int layer) const { return plan_ != nullptr && plan_->wanted(id, layer); }

    /// Calls the hooks of a site, if anybody asked. @param x  [R or more, A · B]      @param heads  A
    void hook(hooks::site_id id, int layer, rows_view x, index heads = 1) {
        if (wanted(id, layer)) call_hooks(id, layer, x.rows(0, observed_), heads);
    }

    /// Gives the work of the layers [first, last) to the backend, which may give work of a form that comes by again in
    /// one call. @param prepared  nothing of the work needs memory, or values, that are not there
    template <class Work>
    PLATEAU_INLINE void run_layers(int first, int last, bool prepared, Work const& work) {
        auto const records = [](sequence const& part) { return part.record != nullptr; };
        bool as_it_comes = !prepared || first == last || std::any_of(sequences().begin(), sequences().end(), records);
        for (int layer = first; layer < last && plan_ != nullptr; ++layer) as_it_comes |= plan_->wanted_in(layer);
        if (as_it_comes) return work();
        auto const [tiles, aligned, tile_moves] = attention_.form();
        repeated_.run(*ctx_, {rows(), first, last, tiles, aligned, tile_moves, work_.moves() + notes_.moves()}, work);
    }

    /// After a layer: looks whether the residual stream is finite, or has a device look, which `require_finite` asks.
    /// @throws not_finite_error naming the layer and the row's origin
    void check_finite(int layer, int layers, rows_view x, char const* item_name) {
        index const row = notes_.template after_layer<T>(*ctx_, layer, layers, x);
        if (row >= 0) refuse({layer, row}, item_name);
    }
    /// @throws not_finite_error of the first of the layers [first, last) that left a value that is not finite
    void require_finite(int first, int last, char const* item_name) const {
        auto const found = notes_.first(*ctx_, first, last);
        if (found.row >= 0) refuse(found, item_name);
    }

private:
    PLATEAU_INLINE void call_hooks(hooks::site_id id, int layer, rows_view x, index heads) {
        plan_->each(id, layer, [&](auto const& hook) {
            if (skips_looks_ && hook.reads_only) return;
            hooked_rows<Context, T> here{copies_, hook.at, observed_ids(), x, heads};
            hook.action(here);
            here.finish();
        });
    }

    [[noreturn]] void refuse(backend::noted_row found, char const* item_name) const {
        auto const& id = rows_->ids[static_cast<std::size_t>(found.row)];
        throw not_finite_error(id.item, "the residual stream is not finite after layer ", found.layer, ", ", item_name,
                               " ", id.item, ", position ", id.position,
                               ": check the weights, or compute with a wider dtype");
    }

    Context const* ctx_;
    workspace<Context, T> work_;
    backend::host_copies<Context, T> copies_;

    nn::rows const* rows_ = nullptr;
    index count_ = 0, observed_ = 0;
    hooks::plan<T> const* plan_ = nullptr;
    bool has_tangents_ = false, skips_looks_ = false;
    workspace<Context, T>* elsewhere_ = nullptr;

    position_angles<Context, T> angles_;
    std::vector<backend::segment<T, space>> segments_;
    typename Context::template attention_work<T> attention_;
    typename Context::repeated repeated_;
    typename Context::finite_notes notes_;
};

/// The block of a pass in one layer: what the parts of a block compute with.
template <class Context, class T>
struct layer_rows {
    using rows_view = typename pass<Context, T>::rows_view;
    using const_rows_view = typename pass<Context, T>::const_rows_view;

    nn::pass<Context, T>& pass;
    int layer;

    Context const& context() const { return pass.context(); }
    /// A work matrix [R, width]. Contents stay until somebody else uses it.
    rows_view matrix(work_buffer const& which, index width) const { return pass.matrix(which, width); }
    bool wanted(hooks::site_id id) const { return pass.wanted(id, layer); }
    /// Calls the hooks of a site, if anybody asked. @param x  [R, A · B]      @param heads  A
    void hook(hooks::site_id id, rows_view x, index heads = 1) const { pass.hook(id, layer, x, heads); }
};

}  // namespace plateau::nn
