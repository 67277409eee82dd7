#pragma once
/// One block of rows on its way through the layers: what the rows are, their memory, and who looks.

#include <array>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/backend/row_edit.hpp>
#include <plateau/hooks/plan.hpp>
#include <plateau/hooks/selection.hpp>
#include <plateau/nn/host_access.hpp>
#include <plateau/nn/kv_cache.hpp>
#include <plateau/nn/rope.hpp>

namespace plateau::nn {

/// A residual stream that is not finite, and whose: the item of its row.
class not_finite_error : public numeric_error {
public:
    template <class... Pieces>
    explicit not_finite_error(index of, Pieces const&... pieces) : numeric_error{pieces...}, item{of} {}

    index item;
};

/// Rows of a pass that follow each other in one sequence, in the order of their positions, without a gap.
template <class Context, class T>
struct sequence {
    index first_row = 0;
    index rows = 0;
    index start = 0;                               ///< position of the first row; that many prefix positions are seen
    kv_cache<Context, T> const* prefix = nullptr;  ///< of positions [0, start); may be null if start is 0
    kv_cache<Context, T>* record = nullptr;        ///< where keys and values of these rows are kept, if wanted
};

/// Work space of a pass; one matrix of rows each.
enum class slot : std::uint8_t {
    residual,
    normalized,
    normed,
    scale,
    copies,
    raw_q,
    raw_k,
    q,
    k,
    v,
    z,
    one_head,
    delta,
    result,
    post,
    mlp_pre,
    mlp_linear,
    mlp_post,
    cosines,
    sines,
    scores,
    logits
};

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
    explicit pass(Context const& ctx) : ctx_{&ctx}, host_{ctx} {}

    Context const& context() const { return *ctx_; }
    /// The way for host code to its matrices.
    host_access<Context, T>& host() { return host_; }

    /// @param ids  [R]      @param sequences  cover the rows      @param plan  may be null; kept as a reference
    /// @param shown  rows that hooks see, the first ones; negative for all
    void begin(std::span<hooks::row_id const> ids, std::span<sequence<Context, T> const> sequences,
               hooks::plan<T> const* plan, index shown = -1) {
        shown_ = shown < 0 ? ids.size() : static_cast<std::size_t>(shown);
        ids_.assign(ids.begin(), ids.end());
        sequences_.assign(sequences.begin(), sequences.end());
        plan_ = plan;
        rotary_ = nullptr;
        tiled_ = {};
    }

    /// Drops the rows that hooks do not see, where no layer with sequences follows.
    void keep_shown() { ids_.resize(shown_); }

    index rows() const { return static_cast<index>(ids_.size()); }
    std::span<hooks::row_id const> ids() const { return ids_; }
    /// Of the rows that hooks see.
    std::span<hooks::row_id const> shown_ids() const { return {ids_.data(), shown_}; }
    std::span<sequence<Context, T> const> sequences() const { return sequences_; }

    /// A work matrix [R, width]. Contents stay until another layer uses the slot.
    rows_view matrix(slot which, index width) {
        reserve(which, rows(), width);
        return {memory_[static_cast<std::size_t>(which)].data(), {rows(), width}};
    }

    /// Memory for a work matrix of `rows` rows. @throws memory_error
    [[gnu::noinline]] void reserve(slot which, index rows, index width) {
        auto& memory = memory_[static_cast<std::size_t>(which)];
        if (memory.size() >= rows * width) return;
        memory = {};
        memory = backend::allocate<T>(*ctx_, std::array{rows * width});
        ++moves_;
    }
    /// Gives back all work matrices.
    [[gnu::cold]] void release() {
        for (auto& memory : memory_) memory = {};
    }

    rows_view residual(index width) { return matrix(slot::residual, width); }

    /// Keys a row sees at most.
    index keys() const {
        index most = 0;
        for (auto const& one : sequences_) most = std::max(most, one.start + one.rows);
        return most;
    }

    /// cos and sin of every row's position, [R, E/2]. Computed once per pass for the layers that share `rotary`.
    [[gnu::noinline]] std::array<const_rows_view, 2> angles(rope const& rotary) {
        auto const cosines = matrix(slot::cosines, rotary.half()), sines = matrix(slot::sines, rotary.half());
        if (rotary_ != &rotary) {
            host_.write(cosines,
                        [&](host_rows c) { host_.write(sines, [&](host_rows s) { write_angles(rotary, c, s); }); });
            rotary_ = &rotary;
        }
        return {const_rows_view{cosines}, const_rows_view{sines}};
    }

    /// The sequences as the attention of `layer` sees them.
    std::span<backend::segment<T, space> const> segments(int layer) {
        segments_.clear();
        for (auto const& one : sequences_) {
            backend::segment<T, space> s{one.first_row, one.rows, {}, {}};
            if (one.start > 0) {
                s.prefix_keys = one.prefix->keys(layer).rows(0, one.start);
                s.prefix_values = one.prefix->values(layer).rows(0, one.start);
            }
            segments_.push_back(s);
        }
        return segments_;
    }

    /// z = attention of the block's rows in `layer`. @param q,z  [R, H · E]      @param keys,values  [R, KV · E], the
    /// rows' own
    void attend(backend::attention_shape<T> const& shape, int layer, const_rows_view q, const_rows_view keys,
                const_rows_view values, rows_view z) {
        if constexpr (computes_on_host) {
            backend::prefix_attention<T>(*ctx_, shape, q, keys, values, segments(layer), z);
        } else {
            tile(shape, layer);
            tiled_attention<T>(*ctx_, shape, q, keys, values, tiles_, layer, z);
        }
    }

    /// Keeps the keys and values of the sequences that record them. @param keys,values  [R, KV · E]
    [[gnu::noinline]] void record(int layer, const_rows_view keys, const_rows_view values) {
        for (auto const& one : sequences_) {
            if (one.record == nullptr || !one.record->holds(layer)) continue;
            index const count = std::min(one.rows, one.record->positions() - one.start);
            if (count <= 0) continue;
            backend::copy<T>(*ctx_, keys.rows(one.first_row, count), one.record->keys(layer).rows(one.start, count));
            backend::copy<T>(*ctx_, values.rows(one.first_row, count),
                             one.record->values(layer).rows(one.start, count));
        }
    }

    /// Calls f while nobody looks.
    template <class F>
    void unseen(F&& f) {
        auto const* const plan = std::exchange(plan_, nullptr);
        f();
        plan_ = plan;
    }

    bool wanted(hooks::site_id id, int layer) const { return plan_ != nullptr && plan_->wanted(id, layer); }

    /// Calls the hooks of a site, if anybody asked. @param x  [R or more, A · B]      @param heads  A
    void hook(hooks::site_id id, int layer, rows_view x, index heads = 1) {
        if (!wanted(id, layer)) return;
        hooks::where const w{layer, shown_ids()};
        auto const by_head = [&](auto rows) {
            index const width = x.extent(1) / heads;
            return tensor::view<T, 3, typename decltype(rows)::space>{
                rows.data(), {rows.extent(0), heads, width}, {rows.stride(0), width, 1}};
        };
        auto const shown = x.rows(0, static_cast<index>(shown_));
        if constexpr (computes_on_host) {
            plan_->fire(id, w, by_head(shown));
        } else {
            plan_->each(id, layer, [&](auto const& one) {
                if (one.on_device && one.on_device(*ctx_, one.at, w, by_head(shown))) return;
                if (one.edits) return edit_on_device(one, w, shown, heads);
                auto const act = [&](host_rows rows) { one.action(one.at, w, by_head(rows)); };
                if (one.reads_only) host_.read(shown, act);
                else host_.change(shown, act);
            });
        }
    }

    /// What a hook that only edits vectors does to rows x of a device: its values alone go there, those that rows share
    /// once.
    template <class Entry>
    void edit_on_device(Entry const& one, hooks::where const& w, rows_view x, index heads) {
        constexpr index step = 16 / sizeof(T);  // of values that the device reads at once
        index const width = x.extent(1) / heads;
        std::vector<T> values;
        std::map<std::pair<T const*, std::size_t>, index> places;  // among them
        std::vector<backend::row_edit> edits;
        one.edits(one.at, w, {heads, width},
                  [&](index row, index head, index count, hooks::vector_edit<T> const& change) {
            auto const [place, is_new] =
                places.try_emplace({change.values.data(), change.values.size()}, static_cast<index>(values.size()));
            if (is_new) {
                hooks::require_direction(change, one.at);
                values.insert(values.end(), change.values.begin(), change.values.end());
                values.resize((values.size() + step - 1) / step * step);
            }
            edits.push_back({row, head * width, count, place->second, change.kind});
        });
        if (edits.empty()) return;
        auto const from =
            to_device(*ctx_, tensor::view<T const, 1>{values.data(), {static_cast<index>(values.size())}});
        auto const which = to_device(
            *ctx_, tensor::view<backend::row_edit const, 1>{edits.data(), {static_cast<index>(edits.size())}});
        edit_rows<T>(*ctx_, from, which.view(), x);
    }

    /// Deals the sequences into tiles, once for all layers with the same heads.
    void tile(backend::attention_shape<T> const& shape, int layer) {
        std::array const heads{shape.heads, shape.kv_heads, shape.width};
        if (tiled_ == heads) return;
        std::vector<backend::prefix_layers> layers;
        for (auto const& one : sequences_) layers.push_back({layer, one.start > 0 ? one.prefix->layer_step() : 0});
        index const before = tiles_.capacity;
        tile_attention<T>(*ctx_, shape, rows(), segments(layer), layers, tiles_);
        if (tiles_.capacity != before) ++moves_;
        tiled_ = heads;
    }

    /// Gives the work of the layers [first, last) to the backend. A device records it where blocks of the same form
    /// come by again.
    /// @param prepared  nothing of the work needs memory, or values, that are not there
    template <class Work>
    void run_layers(int first, int last, bool prepared, Work const& work) {
        if constexpr (computes_on_host) {
            work();
        } else {
            bool records = false;
            for (auto const& one : sequences_) records |= one.record != nullptr;
            bool seen = false;
            for (int layer = first; layer < last && plan_ != nullptr; ++layer) seen |= plan_->wanted_in(layer);
            if (!prepared || records || seen || first == last) return work();
            auto const moved = static_cast<index>(moves_ + ctx_->blas().moves());
            repeated_.run(*ctx_, {rows(), tiles_.count, tiles_.aligned, first, last, moved}, work);
        }
    }

    /// After a layer of a device: leaves it a note, which `require_noted` reads. On the host as require_finite.
    void note_finite(int layer, int layers, const_rows_view x, char const* item_name) {
        if constexpr (computes_on_host) {
            require_finite(layer, x, item_name);
        } else {
            if (notes_.size() < layers)
                notes_ = backend::allocate<index>(*ctx_, std::array<index, 1>{layers}), ++moves_;
            note_not_finite<T>(*ctx_, x, {notes_.data() + layer, {1}});
        }
    }

    /// @throws not_finite_error of the first of the layers [first, last) that left a note of one
    void require_noted(int first, int last, char const* item_name) const {
        if constexpr (!computes_on_host) {
            if (first == last) return;
            auto const notes = backend::to_host(*ctx_, notes_);
            for (int layer = first; layer < last; ++layer) {
                if (notes(layer) >= 0) refuse(layer, notes(layer), item_name);
            }
        }
    }

    /// @throws not_finite_error naming the layer and the row's origin if a value is not finite
    void require_finite(int layer, const_rows_view x, char const* item_name) const {
        index const r = backend::first_not_finite<T>(*ctx_, x);
        if (r >= 0) refuse(layer, r, item_name);
    }

private:
    [[gnu::cold]] [[noreturn]] void refuse(int layer, index r, char const* item_name) const {
        throw not_finite_error(id(r).item, "the residual stream is not finite after layer ", layer, ", ", item_name,
                               " ", id(r).item, ", position ", id(r).position,
                               ": check the weights, or compute with a wider dtype");
    }

    using host_rows = tensor::view<T, 2>;
    static constexpr bool computes_on_host = host_access<Context, T>::direct;

    hooks::row_id const& id(index r) const { return ids_[static_cast<std::size_t>(r)]; }

    /// @param cosines,sines  [R, E/2]
    [[gnu::cold]] void write_angles(rope const& rotary, host_rows cosines, host_rows sines) const {
        for (index r = 0; r < rows(); ++r) {
            bool const same = r > 0 && id(r).position == id(r - 1).position;
            if (same) {
                std::copy_n(cosines[r - 1].data(), rotary.half(), cosines[r].data());
                std::copy_n(sines[r - 1].data(), rotary.half(), sines[r].data());
            } else {
                rotary.angles(id(r).position, cosines[r].data(), sines[r].data());
            }
        }
    }

    Context const* ctx_;
    host_access<Context, T> host_;

    std::vector<hooks::row_id> ids_;
    std::size_t shown_ = 0;
    std::vector<sequence<Context, T>> sequences_;
    std::vector<backend::segment<T, space>> segments_;
    std::array<typename Context::template buffer<T, 1>, static_cast<std::size_t>(slot::logits) + 1> memory_;
    typename Context::template attention_work<T> tiles_;
    std::array<index, 3> tiled_{};  // heads that the tiles are for
    typename Context::repeated repeated_;
    typename Context::template buffer<index, 1> notes_;  // by layer
    std::size_t moves_ = 0;                              // of memory that work was given with
    hooks::plan<T> const* plan_ = nullptr;
    rope const* rotary_ = nullptr;
};

/// A pass for each of the context's threads.
template <class Context, class T>
[[gnu::cold]] std::vector<pass<Context, T>> passes(Context const& ctx) {
    std::vector<pass<Context, T>> all;
    for (int i = 0; i < ctx.threads(); ++i) all.emplace_back(ctx);
    return all;
}

}  // namespace plateau::nn
