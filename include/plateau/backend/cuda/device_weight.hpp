#pragma once
/// The weights of a linear layer on the device.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <plateau/backend/cuda/buffer.hpp>
#include <plateau/backend/cuda/memory.hpp>
#include <plateau/core/dtype.hpp>

namespace plateau::backend {

/// high = x rounded to bfloat16, low = x − high rounded to bfloat16, up to the next multiple of 8 columns; what x does
/// not have is zero. @param x  [R, D]      @param high,low  [R, D], rows of which start and end at multiples of 16
/// bytes
/// @throws shape_error on extents that do not fit
template <DeviceElement T>
void split_to_bf16(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> x,
                   device_view<bfloat16, 2> high, device_view<bfloat16, 2> low);

template <class T>
class device_weight;

/// Writes the values of a device_weight [N, K], in pieces that cover it once, in any order and from many threads; the
/// weight may be moved meanwhile. Values are T, or bfloat16 if that is how the weight is stored. Host memory may be
/// reused at once; the context's operations see the values without waiting.
template <class T>
class device_weight_writer {
public:
    static constexpr index output_step = 64;  ///< pieces of outputs begin at a multiple of it
    static constexpr index input_step = 8;    ///< pieces of inputs begin at a multiple of it

    /// W[first + i, k] = values(i, k). @param values  [count, K]      @throws shape_error, memory_error, device_error
    void outputs(index first, tensor::view<T const, 2> values) const { write(full_, first, 0, values, false); }
    void outputs(index first, tensor::view<bfloat16 const, 2> values) const { write(bf16_, first, 0, values, false); }

    /// W[n, first + i] = values(i, n): rows of Wᵀ. @param values  [count, N]      @throws shape_error, memory_error,
    /// device_error
    void inputs(index first, tensor::view<T const, 2> values) const { write(full_, 0, first, values, true); }
    void inputs(index first, tensor::view<bfloat16 const, 2> values) const { write(bf16_, 0, first, values, true); }

private:
    friend device_weight<T>;
    device_weight_writer(cuda_context const& ctx, device_view<T, 2> full, device_view<bfloat16, 2> bf16,
                         device_view<bfloat16, 2> split)
        : ctx_{&ctx}, full_{full}, bf16_{bf16}, split_{split} {}

    /// W[row + i, column + k] = values(i, k), or values(k, i) where they are turned.
    template <class S>
    void write(device_view<S, 2> to, index row, index column, tensor::view<S const, 2> values, bool turned) const {
        index const rows = values.extent(turned ? 1 : 0), columns = values.extent(turned ? 0 : 1);
        bool const whole = turned ? rows == to.extent(0) : columns == to.extent(1);
        if (to.data() == nullptr || !whole || row + rows > to.extent(0) || column + columns > to.extent(1)) {
            throw shape_error("values of shape ", shape_text(values.extents()), " and type ", name_of(dtype_of<S>),
                              " do not fit into a weight of shape ",
                              shape_text(full_.data() != nullptr ? full_.extents() : bf16_.extents()));
        }
        constexpr auto most = static_cast<index>(cuda::staging::piece_bytes / sizeof(S));
        index const wide = std::min<index>(columns, most), high = wide == 0 ? rows : std::min(rows, most / wide);
        for (index k = 0; k < columns; k += wide) {
            for (index i = 0; i < rows; i += high) {
                index const count = std::min(high, rows - i), width = std::min(wide, columns - k);
                auto const from = turned ? part(values, k, i, width, count) : part(values, i, k, count, width);
                send(part(to, row + i, column + k, count, width), from, turned, row + i, column + k);
            }
        }
    }

    template <class S>
    void send(device_view<S, 2> to, tensor::view<S const, 2> values, bool turned, index row, index column) const {
        index const rows = to.extent(0), columns = to.extent(1), bytes = columns * index{sizeof(S)};
        ctx_->staging().pass([&](void* memory) { pack(values, turned, static_cast<S*>(memory)); },
                             [&](void const* memory, cuda::stream_handle stream) {
            cuda::copy_rows(to.data(), to.stride(0) * index{sizeof(S)}, memory, bytes, rows, bytes,
                            cuda::direction::to_device, stream);
            if constexpr (std::is_same_v<S, T>) {
                if (split_.data() == nullptr) return;
                index const half = split_.extent(1) / 2;
                split_to_bf16<T>(*ctx_, to, part(split_, row, column, rows, columns),
                                 part(split_, row, half + column, rows, columns));
            }
        });
    }

    /// [rows, columns] without gaps, turned or as they are.
    template <class S>
    static void pack(tensor::view<S const, 2> values, bool turned, S* to) {
        if (!turned) {
            for (index i = 0; i < values.extent(0); ++i)
                std::copy_n(values[i].data(), values.extent(1), to + i * values.extent(1));
            return;
        }
        constexpr index block = 32;  // columns whose cache lines stay while the rows come by
        index const depth = values.extent(0), count = values.extent(1);
        for (index first = 0; first < count; first += block) {
            for (index k = 0; k < depth; ++k) {
                S const* const from = values[k].data();
                for (index i = first; i < std::min(first + block, count); ++i) to[i * depth + k] = from[i];
            }
        }
    }

    template <class S, class Space>
    static tensor::view<S, 2, Space> part(tensor::view<S, 2, Space> x, index row, index column, index rows,
                                          index columns) {
        return {x.data() + row * x.stride(0) + column, {rows, columns}, x.strides()};
    }

    cuda_context const* ctx_;
    device_view<T, 2> full_;  // one of the two
    device_view<bfloat16, 2> bf16_;
    device_view<bfloat16, 2> split_;  // [N, 2K'], or none
};

/// The weight of a linear layer, [N, K] = outputs × inputs, row-major, in device memory: stored in T, or in bfloat16
/// where T is float: then inputs are rounded to bfloat16 too, products and sums are float. Rows have K' = 8 ⌈K / 8⌉
/// cells, zeros after the K-th, so that each starts at a multiple of 16 bytes, and a few rows of zeros come after the
/// last: products are formed in steps of 8 outputs and inputs.
/// Where the context's products are bf16x3, a weight stored in float has beside it its parts in bfloat16, [N, high K' |
/// low K'].
/// @pre the context outlives it, and its products are formed by that context
template <class T>
class device_weight {
public:
    device_weight() = default;

    /// Memory whose values are for writer() to write.
    /// @param storage  dtype_of<T>, or bf16 where T is float      @throws memory_error, device_error, shape_error
    device_weight(cuda_context const& ctx, index outputs, index inputs, dtype storage)
        : ctx_{&ctx}, outputs_{outputs}, inputs_{inputs}, bf16_{storage == dtype::bf16} {
        if (outputs < 0 || inputs < 0 || outputs > most || inputs > most) {
            throw shape_error("a weight cannot have the shape ", shape_text(std::array{outputs, inputs}));
        }
        std::array const extents{outputs + cuda::column_step - 1, cuda::in_steps(inputs, cuda::column_step)};
        if (bf16_) rounded_ = cleared<bfloat16>(ctx, extents);
        else full_ = cleared<T>(ctx, extents);
        if (std::is_same_v<T, float> && !bf16_ && ctx.products() == float_products::bf16x3) {
            split_ = cleared<bfloat16>(ctx, {extents[0], 2 * extents[1]});
        }
    }

    /// @param weight  [N, K]
    device_weight(cuda_context const& ctx, tensor::view<T const, 2> weight)
        : device_weight{ctx, weight.extent(0), weight.extent(1), dtype_of<T>} {
        writer().outputs(0, weight);
    }
    device_weight(cuda_context const& ctx, tensor::view<bfloat16 const, 2> weight) requires std::is_same_v<T, float>
        : device_weight{ctx, weight.extent(0), weight.extent(1), dtype::bf16} {
        writer().outputs(0, weight);
    }
    device_weight(cuda_context const& ctx, tensor::buffer<T, 2> const& weight) : device_weight{ctx, weight.view()} {}
    device_weight(cuda_context const& ctx, tensor::buffer<bfloat16, 2> const& weight) requires std::is_same_v<T, float>
        : device_weight{ctx, weight.view()} {}

    index outputs() const { return outputs_; }
    index inputs() const { return inputs_; }
    bool is_bf16() const { return bf16_; }
    bool is_split() const { return split_.extents()[0] > 0; }

    /// Writes the values; stays valid when the weight is moved. @pre made with a context
    device_weight_writer<T> writer() {
        auto const of = [&](auto view, index columns) {
            return decltype(view){view.data(), {view.data() == nullptr ? 0 : outputs_, columns}, view.strides()};
        };
        return {*ctx_, of(full_.view(), inputs_), of(rounded_.view(), inputs_), of(split_.view(), split_.extents()[1])};
    }

    /// The memory, with its padding: [N + 7, K'], or [N + 7, 2K'] of the parts. @pre it is stored so
    device_view<T const, 2> full() const { return full_; }
    device_view<bfloat16 const, 2> rounded() const { return rounded_; }
    device_view<bfloat16 const, 2> split() const { return split_; }

private:
    static constexpr index most = index{1} << 31;  // of outputs or inputs

    template <class S>
    static device_buffer<S, 2> cleared(cuda_context const& ctx, std::array<index, 2> extents) {
        device_buffer<S, 2> memory{ctx, extents};
        clear<S>(ctx, memory.view());
        return memory;
    }

    cuda_context const* ctx_ = nullptr;
    index outputs_ = 0;
    index inputs_ = 0;
    bool bf16_ = false;
    device_buffer<T, 2> full_;
    device_buffer<bfloat16, 2> rounded_;
    device_buffer<bfloat16, 2> split_;
};

static_assert(FillableWeight<device_weight<float>, cuda_context, float> &&
              FillableWeight<device_weight<double>, cuda_context, double>);

}  // namespace plateau::backend
