#pragma once
/// One block of rows on its way through the layers: what the rows are, their memory, and who looks.

#include <array>
#include <cmath>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/backend/cpu.hpp>
#include <plateau/hooks/plan.hpp>
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
    index start = 0;                                 ///< position of the first row; that many prefix positions are seen
    kv_cache<Context, T> const* prefix = nullptr;    ///< of positions [0, start); may be null if start is 0
    kv_cache<Context, T>* record = nullptr;          ///< where keys and values of these rows are kept, if wanted
};

/// Work space of a pass; one matrix of rows each.
enum class slot : std::uint8_t {
    residual, normalized, normed, scale, copies, raw_q, raw_k, q, k, v, z, one_head, delta, result, post, mlp_pre, mlp_linear, mlp_post, cosines, sines, scores, logits
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

    /// @param ids  [R]      @param sequences  cover the rows      @param plan  may be null; kept as a reference
    /// @param shown  rows that hooks see, the first ones; negative for all
    void begin(std::span<hooks::row_id const> ids, std::span<sequence<Context, T> const> sequences,
               hooks::plan<T> const* plan, index shown = -1) {
        shown_ = shown < 0 ? ids.size() : static_cast<std::size_t>(shown);
        ids_.assign(ids.begin(), ids.end());
        sequences_.assign(sequences.begin(), sequences.end());
        plan_ = plan;
        rotary_ = nullptr;
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
        auto& memory = memory_[static_cast<std::size_t>(which)];
        index const needed = rows() * width;
        if (memory.size() < needed) {
            memory = {};
            memory = typename Context::template buffer<T, 1>({needed});
        }
        return {memory.data(), {rows(), width}};
    }

    rows_view residual(index width) { return matrix(slot::residual, width); }

    /// Keys a row sees at most.
    index keys() const {
        index most = 0;
        for (auto const& one : sequences_) most = std::max(most, one.start + one.rows);
        return most;
    }

    /// cos and sin of every row's position, [R, E/2]. Computed once per pass for the layers that share `rotary`.
    std::array<const_rows_view, 2> angles(rope const& rotary) {
        auto const cosines = matrix(slot::cosines, rotary.half()), sines = matrix(slot::sines, rotary.half());
        if (rotary_ != &rotary) {
            for (index r = 0; r < rows(); ++r) {
                bool const same = r > 0 && id(r).position == id(r - 1).position;
                if (same) {
                    std::copy_n(cosines[r - 1].data(), rotary.half(), cosines[r].data());
                    std::copy_n(sines[r - 1].data(), rotary.half(), sines[r].data());
                } else {
                    rotary.angles(id(r).position, cosines[r].data(), sines[r].data());
                }
            }
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

    /// Keeps the keys and values of the sequences that record them. @param keys,values  [R, KV · E]
    void record(int layer, const_rows_view keys, const_rows_view values) {
        for (auto const& one : sequences_) {
            if (one.record == nullptr || !one.record->holds(layer)) continue;
            index const count = std::min(one.rows, one.record->positions() - one.start);
            for (index j = 0; j < count; ++j) {
                std::copy_n(keys[one.first_row + j].data(), keys.extent(1),
                            one.record->keys(layer)[one.start + j].data());
                std::copy_n(values[one.first_row + j].data(), values.extent(1),
                            one.record->values(layer)[one.start + j].data());
            }
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
        plan_->fire(id, {layer, shown_ids()}, {x.data(), {static_cast<index>(shown_), heads, x.extent(1) / heads},
                                        {x.stride(0), x.extent(1) / heads, 1}});
    }

    /// @throws not_finite_error naming the layer and the row's origin if a value is not finite
    void require_finite(Context const& ctx, int layer, const_rows_view x, char const* item_name) const {
        index const r = backend::first_not_finite<T>(ctx, x);
        if (r < 0) return;
        throw not_finite_error{id(r).item, "the residual stream is not finite after layer ", layer, ", ", item_name, " ",
                               id(r).item, ", position ", id(r).position,
                               ": check the weights, or compute with a wider dtype"};
    }

private:
    hooks::row_id const& id(index r) const { return ids_[static_cast<std::size_t>(r)]; }

    std::vector<hooks::row_id> ids_;
    std::size_t shown_ = 0;
    std::vector<sequence<Context, T>> sequences_;
    std::vector<backend::segment<T, space>> segments_;
    std::array<typename Context::template buffer<T, 1>, static_cast<std::size_t>(slot::logits) + 1> memory_;
    hooks::plan<T> const* plan_ = nullptr;
    rope const* rotary_ = nullptr;
};

}  // namespace plateau::nn
