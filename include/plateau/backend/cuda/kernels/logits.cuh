#pragma once
/// Kernels of logits.hpp, a block of threads per row, and the blocks of rows and tokens that they are given.

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <vector>

#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/elementwise.hpp>
#include <plateau/backend/cuda/kernels/best_tokens.cuh>
#include <plateau/backend/cuda/launch.cuh>
#include <plateau/backend/cuda/logits.hpp>
#include <plateau/backend/cuda/rows.hpp>

namespace plateau::backend::cuda {

/// Sums over the tokens that a row has been through. Those of its reference are formed beside them, once for every row:
/// with the reference's own bits, and without waiting for another block of threads.
template <class T>
struct logit_sums {
    T largest = -INFINITY, largest_of_reference = -INFINITY;
    T chosen = 0;                 ///< the target's logit
    double sum = 0;               ///< Σ e^{l − largest}
    double sum_of_reference = 0;  ///< Σ e^{l_ref − largest_of_reference}
    double to_reference = 0;      ///< Σ e^{l − largest} (l − l_ref)
    double from_reference = 0;    ///< Σ e^{l_ref − largest_of_reference} (l_ref − l)
};

/// Raises `largest` to that of more logits. @return what sums of multiples of e^{−largest} are multiplied by
template <class T>
__device__ __forceinline__ double raise(T& largest, T const* logits, index count, bool aligned) {
    T top = largest;
    for (index i = threadIdx.x * pack<T>::size; i < count; i += logit_threads * pack<T>::size) {
        auto const some = load(logits + i, count - i, aligned);
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            if (i + k < count && some.values[k] > top) top = some.values[k];
        }
    }
    top = block_max<logit_warps>(top);
    double const factor = top == largest ? 1 : exp(static_cast<double>(largest) - static_cast<double>(top));
    largest = top;
    return factor;
}

/// Takes the logits of tokens [first, first + count).
/// @param logits  [rows, count]      @param references  [rows], or null      @param targets  [rows], or null
/// @param sums  [rows]
template <class T>
__global__ void __launch_bounds__(logit_threads, sizeof(T) == 4 ? 4 : 2)  // blocks, for registers enough to spill none
    take_logits_kernel(strided<T const> logits, bool aligned, index first, index count, index const* references,
                       index const* targets, logit_sums<T>* sums) {
    index const r = blockIdx.x, reference = references == nullptr ? r : references[r];
    T const *const own = logits[r], *const other = logits[reference];
    bool const compared = reference != r;
    T largest = first > 0 ? sums[r].largest : T(-INFINITY),
      largest_of_reference = first > 0 ? sums[r].largest_of_reference : T(-INFINITY);
    double const factor = raise(largest, own, count, aligned);
    double const factor_of_reference = compared ? raise(largest_of_reference, other, count, aligned) : 1;
    double sum = 0, sum_of_reference = 0, to_reference = 0, from_reference = 0;
    for (index i = threadIdx.x * pack<T>::size; i < count; i += logit_threads * pack<T>::size) {
        auto const l = load(own + i, count - i, aligned);
        auto const m = compared ? load(other + i, count - i, aligned) : l;
#pragma unroll
        for (int k = 0; k < pack<T>::size; ++k) {
            if (i + k >= count) break;
            double const exponential = static_cast<double>(exp(l.values[k] - largest));
            sum += exponential;
            if (!compared) continue;
            double const of_reference = static_cast<double>(exp(m.values[k] - largest_of_reference));
            double const difference = static_cast<double>(l.values[k]) - static_cast<double>(m.values[k]);
            sum_of_reference += of_reference;
            to_reference += exponential * difference;
            from_reference -= of_reference * difference;
        }
    }
    sum = block_sum<logit_warps>(sum);
    if (compared) {
        sum_of_reference = block_sum<logit_warps>(sum_of_reference);
        to_reference = block_sum<logit_warps>(to_reference);
        from_reference = block_sum<logit_warps>(from_reference);
    }
    if (threadIdx.x > 0) return;
    logit_sums<T> state{};
    if (first > 0) state = sums[r];
    state.largest = largest;
    state.largest_of_reference = largest_of_reference;
    state.sum = state.sum * factor + sum;
    state.sum_of_reference = state.sum_of_reference * factor_of_reference + sum_of_reference;
    state.to_reference = state.to_reference * factor + to_reference;
    state.from_reference = state.from_reference * factor_of_reference + from_reference;
    if (targets != nullptr && targets[r] >= first && targets[r] < first + count) state.chosen = own[targets[r] - first];
    sums[r] = state;
}

/// Rows of one block, by their numbers in x, with the reference of each among them.
struct logit_rows {
    std::vector<index> members;     ///< in x
    std::vector<index> references;  ///< [members], by number in this block
    std::vector<index> places;      ///< in this block, of the next rows of x whose results it has
    bool whole = true;              ///< the members are neighbours in x
};

/// As many rows from `first` on as fit into a block of `most` members, which also has those of their references that
/// come before it.
inline logit_rows rows_from(index first, std::span<index const> references, index most) {
    logit_rows block;
    std::unordered_map<index, index> places;
    auto const add = [&](index row) {
        auto const place = static_cast<index>(block.members.size());
        places.emplace(row, place);
        block.members.push_back(row);
        block.references.push_back(place);  // a reference's is itself
        return place;
    };
    for (auto row = static_cast<std::size_t>(first); row < references.size(); ++row) {
        index const reference = references[row], self = static_cast<index>(row);
        bool const separate = reference != self && !places.contains(reference);
        if (static_cast<index>(block.members.size()) + (separate ? 2 : 1) > most) break;
        if (separate) block.whole = false;
        index const other = separate ? add(reference) : reference == self ? -1 : places.at(reference);
        block.places.push_back(add(self));
        if (other >= 0) block.references.back() = other;
    }
    return block;
}

/// Rows of `inputs` numbers whose logits, and copies of themselves, `blocks.bytes` hold: whole steps of products, if it
/// is one.
template <class T>
index rows_together(logit_blocks blocks, index inputs) {
    auto const bytes_of_row = static_cast<std::size_t>(blocks.tokens + inputs) * sizeof(T);
    index const rows = std::max<index>(2, static_cast<index>(blocks.bytes / bytes_of_row));
    return rows < row_step ? rows : rows / row_step * row_step;
}

/// Calls take(first token, logits [R, count]) for all tokens in their order. @param x  [R, D]
template <class T, class F>
void for_each_logits(cuda_context const& ctx, device_view<T const, 2> x, linear_parameters<cuda_context, T> const& head,
                     T cap, logit_blocks blocks, F const& take) {
    index const rows = x.extent(0), vocabulary = head.weight.outputs();
    index const tokens = std::clamp<index>(vocabulary, 1, blocks.tokens), stride = in_steps(tokens, column_step);
    device_buffer<T, 2> memory{ctx, {rows, stride}};
    for (index first = 0; first == 0 || first < vocabulary; first += tokens) {
        index const count = std::min(tokens, vocabulary - first);
        device_view<T, 2> const logits{memory.view().data(), {rows, count}, {stride, 1}};
        linear_outputs<T>(ctx, x, head, first, count, logits);
        if (cap > 0) backend::cap<T>(ctx, logits, cap);
        take(first, device_view<T const, 2>{logits});
    }
}

template <class T>
void take_logits(cuda_context const& ctx, index first, device_view<T const, 2> logits, index const* references,
                 index const* targets, device_buffer<logit_sums<T>, 1>& sums) {
    auto const rows = rows_of(logits);
    launch(&take_logits_kernel<T>, parts(logits.extent(0), 1), logit_threads, 0, ctx.stream(), rows, aligned(rows),
           first, logits.extent(1), references, targets, sums.view().data());
}

inline device_buffer<index, 1> numbers(cuda_context const& ctx, std::span<index const> values) {
    return to_device(ctx, tensor::view<index const, 1>{values.data(), {static_cast<index>(values.size())}});
}

/// The last step, on the host.
template <class T>
logit_summary summary_of(logit_sums<T> const& own) {
    double const log_sum_exp = static_cast<double>(own.largest) + std::log(own.sum);
    if (own.sum_of_reference == 0) return {log_sum_exp, 0, 0};  // it is its own
    double const more = log_sum_exp - (static_cast<double>(own.largest_of_reference) + std::log(own.sum_of_reference));
    // rounding may leave a little less than nothing
    auto const at_least_zero = [](double kl) { return kl < 0 ? 0 : kl; };
    return {log_sum_exp, at_least_zero(own.from_reference / own.sum_of_reference + more),
            at_least_zero(own.to_reference / own.sum - more)};
}

/// One block's summaries and best tokens. @param x  [members, D]      @param summaries,best  of block.places
template <class T>
void summarise_block(cuda_context const& ctx, device_view<T const, 2> x, linear_parameters<cuda_context, T> const& head,
                     T cap, logit_rows const& block, std::span<logit_summary> summaries,
                     tensor::view<scored_token<T>, 2> best, logit_blocks blocks) {
    index const rows = x.extent(0), k = best.extent(1);
    auto const references = numbers(ctx, block.references);
    device_buffer<logit_sums<T>, 1> sums{ctx, {rows}};
    device_buffer<scored_token<T>, 2> kept{ctx, {rows, k}}, merged{ctx, {rows, k}};
    for_each_logits<T>(ctx, x, head, cap, blocks, [&](index first, device_view<T const, 2> logits) {
        take_logits(ctx, first, logits, references.view().data(), nullptr, sums);
        if (k == 0) return;
        merge_best<T>(ctx, first, logits, kept.view(), merged.view());
        std::swap(kept, merged);
    });
    auto const of_rows = to_host(ctx, sums);
    auto const tokens = to_host(ctx, kept);
    for (std::size_t i = 0; i < block.places.size(); ++i) {
        summaries[i] = summary_of(of_rows(block.places[i]));
        std::copy_n(tokens[block.places[i]].data(), k, best[static_cast<index>(i)].data());
    }
}

}  // namespace plateau::backend::cuda

namespace plateau::backend {

template <DeviceElement T>
void summarise_logits(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                      std::type_identity_t<linear_parameters<cuda_context, T>> const& head, std::type_identity_t<T> cap,
                      std::span<index const> references, std::span<logit_summary> summaries,
                      std::type_identity_t<tensor::view<scored_token<T>, 2>> best, logit_blocks blocks) {
    index const rows = x.extent(0), vocabulary = head.weight.outputs();
    tensor::require_extents(x.extents(), {static_cast<index>(references.size()), head.weight.inputs()},
                            "the input of an unembedding");
    tensor::require_extents<1>({static_cast<index>(summaries.size())}, {rows}, "the summaries of logits");
    tensor::require_extents(best.extents(), {rows, std::min(best.extent(1), vocabulary)}, "the best tokens");
    for (index r = 0; r < rows; ++r) {
        index const reference = references[static_cast<std::size_t>(r)];
        bool const before = reference >= 0 && reference <= r;
        if (before && references[static_cast<std::size_t>(reference)] == reference) continue;
        throw shape_error("row ", r, " cannot be compared to row ", reference,
                          ": a reference comes before, and is its own");
    }
    index const most = cuda::rows_together<T>(blocks, x.extent(1));
    for (index first = 0; first < rows;) {
        auto const block = cuda::rows_from(first, references, most);
        auto const done = static_cast<index>(block.places.size());
        auto const from = static_cast<std::size_t>(first);
        auto const take = [&](device_view<T const, 2> members) {
            cuda::summarise_block<T>(ctx, members, head, cap, block, summaries.subspan(from, block.places.size()),
                                     best.rows(first, done), blocks);
        };
        if (block.whole) {
            take(x.rows(first, done));
        } else {
            auto const which = cuda::numbers(ctx, block.members);
            device_buffer<T, 2> members{ctx, {static_cast<index>(block.members.size()), x.extent(1)}};
            gather_rows<T>(ctx, x, which.view(), members.view());
            take(members);
        }
        first += done;
    }
}

template <DeviceElement T>
void log_probabilities(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                       std::type_identity_t<linear_parameters<cuda_context, T>> const& head,
                       std::type_identity_t<T> cap, std::span<index const> targets, std::span<double> result,
                       logit_blocks blocks) {
    index const rows = x.extent(0), vocabulary = head.weight.outputs();
    tensor::require_extents(x.extents(), {static_cast<index>(targets.size()), head.weight.inputs()},
                            "the input of an unembedding");
    tensor::require_extents<1>({static_cast<index>(result.size())}, {rows}, "the result of log_probabilities");
    for (index const target : targets) {
        if (target >= 0 && target < vocabulary) continue;
        throw shape_error("the target ", target, " lies outside of the vocabulary [0, ", vocabulary, ")");
    }
    index const most = cuda::rows_together<T>(blocks, x.extent(1));
    for (index first = 0; first < rows; first += most) {
        index const count = std::min(most, rows - first);
        auto const from = static_cast<std::size_t>(first);
        auto const chosen = cuda::numbers(ctx, targets.subspan(from, static_cast<std::size_t>(count)));
        device_buffer<cuda::logit_sums<T>, 1> sums{ctx, {count}};
        cuda::for_each_logits<T>(ctx, x.rows(first, count), head, cap, blocks,
                                 [&](index token, device_view<T const, 2> logits) {
            cuda::take_logits<T>(ctx, token, logits, nullptr, chosen.view().data(), sums);
        });
        auto const of_rows = to_host(ctx, sums);
        for (index r = 0; r < count; ++r) {
            result[from + static_cast<std::size_t>(r)] =
                static_cast<double>(of_rows(r).chosen) - cuda::summary_of(of_rows(r)).log_sum_exp;
        }
    }
}

}  // namespace plateau::backend
