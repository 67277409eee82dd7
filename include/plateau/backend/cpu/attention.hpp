#pragma once
/// Attention of rows against the keys of a shared prefix, then those of their own sequence.
/// Full-sequence causal attention is the case without a prefix; both take the same steps in the same order.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/cpu/context.hpp>

namespace plateau::backend {

namespace detail {

template <class T>
inline T dot(T const* a, T const* b, index n) {
    constexpr index lanes = 16;
    std::array<T, lanes> sums{};
    index i = 0;
    for (; i + lanes <= n; i += lanes) {
        for (index lane = 0; lane < lanes; ++lane) sums[static_cast<std::size_t>(lane)] += a[i + lane] * b[i + lane];
    }
    for (index lane = 0; i < n; ++i, ++lane) sums[static_cast<std::size_t>(lane)] += a[i] * b[i];
    T total = 0;
    for (T sum : sums) total += sum;
    return total;
}

/// Key or value rows as one sequence: the prefix, then own rows.
template <class T>
struct attended_rows {
    tensor::view<T const, 2> prefix;
    T const* own;
    index own_stride;

    T const* operator[](index j) const {
        index const split = prefix.extent(0);
        return j < split ? prefix.data() + j * prefix.stride(0) : own + (j - split) * own_stride;
    }
};

template <class T>
[[gnu::noinline]] void score_row(T const* query, index heads, index width, index group, attended_rows<T> keys,
                                 index count, T scale, T* scores, index stride) {
    for (index j = 0; j < count; ++j) {
        T const* const key = keys[j];
        for (index h = 0; h < heads; ++h) {
            scores[h * stride + j] = dot(query + h * width, key + (h / group) * width, width) * scale;
        }
    }
}

template <class T>
[[gnu::noinline]] void softmax_row(T* row, index count) {
    T largest = row[0];
    for (index j = 1; j < count; ++j) largest = std::max(largest, row[j]);
    T sum = 0;
    for (index j = 0; j < count; ++j) {
        row[j] = std::exp(row[j] - largest);
        sum += row[j];
    }
    T const inverse = T{1} / sum;
    for (index j = 0; j < count; ++j) row[j] *= inverse;
}

template <class T>
[[gnu::noinline]] void mix_row(T const* pattern, index stride, attended_rows<T> values, index count, index heads,
                               index width, index group, T* z) {
    for (index h = 0; h < heads; ++h) {
        T* const out = z + h * width;
        for (index e = 0; e < width; ++e) out[e] = 0;
        for (index j = 0; j < count; ++j) {
            T const weight = pattern[h * stride + j];
            T const* const value = values[j] + (h / group) * width;
            for (index e = 0; e < width; ++e) out[e] += weight * value[e];
        }
    }
}

/// Calls f(row, keys that the row sees, segment).
template <class T, class F>
void for_each_row(std::span<segment<T> const> segments, F&& f) {
    for (auto const& one : segments) {
        for (index j = 0; j < one.rows; ++j) f(one.first_row + j, one.prefix() + j + 1, one);
    }
}

}  // namespace detail

/// scores[r, h, j] = scale · ⟨q_{r,h}, k_{j, h / (H / KV)}⟩ for every key j that row r sees, −inf for the others.
/// @param q  [R, H · E]      @param keys  [R, KV · E], the rows' own      @param scores  [R, H, K]
template <class T>
void attention_scores(cpu_context const&, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<tensor::view<T const, 2>> q, std::type_identity_t<tensor::view<T const, 2>> keys,
                      std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 3> scores) {
    index const stride = scores.extent(2);
    detail::for_each_row<T>(segments, [&](index r, index count, segment<T> const& s) {
        detail::attended_rows<T> const all{s.prefix_keys, keys[s.first_row].data(), keys.stride(0)};
        T* const row = scores[r].data();
        detail::score_row(q[r].data(), shape.heads, shape.width, shape.group(), all, count, shape.scale, row, stride);
        for (index h = 0; h < shape.heads; ++h) {
            std::fill(row + h * stride + count, row + (h + 1) * stride, -std::numeric_limits<T>::infinity());
        }
    });
}

/// Softmax over the keys that each row sees, in place; 0 for the others. @param scores  [R, H, K]
template <class T>
void attention_softmax(cpu_context const&, std::type_identity_t<std::span<segment<T> const>> segments,
                       tensor::view<T, 3> scores) {
    index const stride = scores.extent(2);
    detail::for_each_row<T>(segments, [&](index r, index count, segment<T> const&) {
        for (index h = 0; h < scores.extent(1); ++h) {
            T* const row = scores[r].data() + h * stride;
            detail::softmax_row(row, count);
            std::fill(row + count, row + stride, T{0});
        }
    });
}

/// z[r, h] = Σ_j pattern[r, h, j] · v_{j, h / (H / KV)}, summed in the order of the keys.
/// @param pattern  [R, H, K]      @param values  [R, KV · E], the rows' own      @param z  [R, H · E]
template <class T>
void attention_mix(cpu_context const&, std::type_identity_t<attention_shape<T>> const& shape,
                   std::type_identity_t<tensor::view<T const, 3>> pattern,
                   std::type_identity_t<tensor::view<T const, 2>> values,
                   std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 2> z) {
    detail::for_each_row<T>(segments, [&](index r, index count, segment<T> const& s) {
        detail::attended_rows<T> const all{s.prefix_values, values[s.first_row].data(), values.stride(0)};
        detail::mix_row(pattern[r].data(), pattern.extent(2), all, count, shape.heads, shape.width, shape.group(),
                        z[r].data());
    });
}

/// The three steps above row by row, without keeping scores: the same bits.
/// @param q  [R, H · E]      @param keys,values  [R, KV · E], the rows' own      @param z  [R, H · E]
template <class T>
void prefix_attention(cpu_context const&, std::type_identity_t<attention_shape<T>> const& shape,
                      std::type_identity_t<tensor::view<T const, 2>> q, std::type_identity_t<tensor::view<T const, 2>> keys,
                      std::type_identity_t<tensor::view<T const, 2>> values,
                      std::type_identity_t<std::span<segment<T> const>> segments, tensor::view<T, 2> z) {
    std::vector<T> scores;
    detail::for_each_row<T>(segments, [&](index r, index count, segment<T> const& s) {
        scores.resize(static_cast<std::size_t>(shape.heads * count));
        detail::attended_rows<T> const all_keys{s.prefix_keys, keys[s.first_row].data(), keys.stride(0)};
        detail::attended_rows<T> const all_values{s.prefix_values, values[s.first_row].data(), values.stride(0)};
        detail::score_row(q[r].data(), shape.heads, shape.width, shape.group(), all_keys, count, shape.scale,
                          scores.data(), count);
        for (index h = 0; h < shape.heads; ++h) detail::softmax_row(scores.data() + h * count, count);
        detail::mix_row(scores.data(), count, all_values, count, shape.heads, shape.width, shape.group(), z[r].data());
    });
}

}  // namespace plateau::backend
