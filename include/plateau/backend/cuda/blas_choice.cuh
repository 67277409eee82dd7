#pragma once
/// Which of cuBLASLt's algorithms form a product.

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

#include <plateau/backend/cuda/blas_product.cuh>
#include <plateau/core/dtype.hpp>
#include <plateau/core/rng.hpp>

namespace plateau::backend::cuda {

/// The fastest algorithms of one product. They give a row the same bits.
struct blas_algorithms {
    static constexpr index many_rows = 1024;  ///< from here on

    cublasLtMatmulAlgo_t for_few, for_many;

    cublasLtMatmulAlgo_t const& of(index rows) const { return rows < many_rows ? for_few : for_many; }
};

/// Tries what cuBLASLt's heuristics name for few rows and for many. An algorithm may take part if it gives random rows
/// the bits that they have from the first one of the heuristics' list, among few rows and among many: so which one
/// wins, a matter of time and of chance, shows in no result.
class blas_choice {
public:
    /// @param w  the weights that came by first      @param workspace  what the product may use too
    blas_choice(cublasLtHandle_t handle, product_kind kind, index outputs, index inputs, matrix_rows w, void* workspace,
                std::size_t workspace_bytes, stream_handle stream)
        : handle_{handle}, kind_{kind}, outputs_{outputs}, inputs_{inputs}, w_{w}, workspace_{workspace},
          workspace_bytes_{workspace_bytes}, stream_{stream}, x_memory_{stream}, y_memory_{stream} {}

    /// @throws device_error, memory_error
    blas_algorithms best() {
        index const some_rows = std::min(blas_algorithms::many_rows, timed_rows());
        blas_product const few = product(row_step), some = product(some_rows), many = product(timed_rows());
        blas_candidates found{};
        for (auto const* one : {&many, &few}) {
            for (auto const& algorithm : one->candidates(handle_, workspace_bytes_)) found.add(algorithm);
        }
        if (found.count == 1) return {found.all[0], found.all[0]};
        prepare();
        blas_candidates equal{};
        std::vector<std::byte> wanted;
        for (auto const& algorithm : found) {
            auto const bits = bits_of(few, row_step, algorithm);
            if (!bits || bits_of(some, some_rows, algorithm) != bits) continue;
            if (wanted.empty()) wanted = *bits;
            if (*bits == wanted) equal.add(algorithm);
        }
        if (equal.count == 0) check(CUBLAS_STATUS_NOT_SUPPORTED, "every algorithm for a matrix product");
        return {fastest(few, row_step, equal), fastest(many, timed_rows(), equal)};
    }

private:
    /// Of a large block, as long as its memory is bounded. A function of N and K alone.
    index timed_rows() const {
        index rows = 4096;
        while (rows > row_step && rows * std::max(outputs_, inputs_) > index{1} << 25) rows /= 2;
        return rows;
    }

    // strides that are multiples of 16 bytes and of no more, as those of any caller may be
    index operand_bytes() const { return kind_ == product_kind::fp64 ? 8 : kind_ == product_kind::bf16 ? 2 : 4; }
    index result_bytes() const { return kind_ == product_kind::fp64 ? 8 : 4; }
    index x_stride() const { return inputs_ + 16 / operand_bytes(); }
    index y_stride() const { return outputs_ + 16 / result_bytes(); }

    blas_product product(index rows) const {
        return {kind_, rows, outputs_, inputs_, x_stride(), w_.stride, y_stride()};
    }

    /// Inputs whose last row_step rows are random numbers of [-1, 1): the rows that are looked at.
    void prepare() {
        index const rows = timed_rows(), bytes = x_stride() * operand_bytes();
        x_ = static_cast<std::byte*>(x_memory_.get(static_cast<std::size_t>(rows * bytes)));
        y_ = static_cast<std::byte*>(y_memory_.get(static_cast<std::size_t>(rows * y_stride() * result_bytes())));
        fill_bytes(x_, 0x3C, static_cast<std::size_t>(rows * bytes), stream_);  // a small number in any of the types
        std::vector<std::byte> looked_at(static_cast<std::size_t>(row_step * bytes));
        counter_rng random{0};
        auto const fill = [&]<class Value>(Value const&) {
            for (std::size_t at = 0; at < looked_at.size(); at += sizeof(Value)) {
                Value const value(static_cast<float>(2 * random.uniform() - 1));
                std::memcpy(looked_at.data() + at, &value, sizeof value);
            }
        };
        if (kind_ == product_kind::fp64) fill(double{});
        else if (kind_ == product_kind::bf16) fill(bfloat16{});
        else fill(float{});
        upload(x_of(row_step), looked_at.data(), looked_at.size(), stream_);
    }

    /// The last `rows` rows of the inputs.
    std::byte* x_of(index rows) const { return x_ + (timed_rows() - rows) * x_stride() * operand_bytes(); }

    bool run(blas_product const& with, index rows, cublasLtMatmulAlgo_t const& algorithm) const {
        return possible(
            with.start(handle_, algorithm, x_of(rows), w_.data, y_, false, workspace_, workspace_bytes_, stream_),
            "a matrix product");
    }

    /// Results of the rows that are looked at, among `rows` rows: those of the last outputs. Nothing if the algorithm
    /// cannot do it.
    std::optional<std::vector<std::byte>> bits_of(blas_product const& with, index rows,
                                                  cublasLtMatmulAlgo_t const& algorithm) const {
        if (!run(with, rows, algorithm)) return {};
        index const columns = std::min<index>(outputs_, 512), bytes = columns * result_bytes(),
                    stride = y_stride() * result_bytes();
        std::vector<std::byte> bits(static_cast<std::size_t>(row_step * bytes));
        copy_rows(bits.data(), bytes, y_ + (rows - row_step) * stride + (outputs_ - columns) * result_bytes(), stride,
                  row_step, bytes, direction::to_host, stream_);
        synchronize(stream_);
        return bits;
    }

    /// Of algorithms that can do it all, in the heuristics' order.
    cublasLtMatmulAlgo_t const& fastest(blas_product const& with, index rows, blas_candidates const& all) const {
        std::array<double, blas_candidates::most> times;
        times.fill(std::numeric_limits<double>::infinity());
        owned_event const before, after;
        for (int round = 0; round < 2 && all.count > 1; ++round) {
            for (std::size_t i = 0; i < all.count; ++i) {
                if (!run(with, rows, all.all[i])) continue;
                record(before, stream_);
                for (int again = 0; again < 3; ++again) run(with, rows, all.all[i]);
                record(after, stream_);
                wait(after);
                times[i] = std::min(times[i], milliseconds(before, after));
            }
        }
        constexpr double clearly = 0.95;  // a gain that is more than noise, or the heuristics' order stands
        std::size_t winner = 0;
        for (std::size_t i = 1; i < all.count; ++i) {
            if (times[i] < clearly * times[winner]) winner = i;
        }
        return all.all[winner];
    }

    cublasLtHandle_t handle_;
    product_kind kind_;
    index outputs_, inputs_;
    matrix_rows w_;
    void* workspace_;
    std::size_t workspace_bytes_;
    stream_handle stream_;
    growing_memory x_memory_, y_memory_;
    std::byte *x_ = nullptr, *y_ = nullptr;
};

}  // namespace plateau::backend::cuda
