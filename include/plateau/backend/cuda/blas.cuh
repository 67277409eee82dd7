#pragma once
/// The class of blas.hpp, for the one file that is compiled into `plateau::cuda`.

#include <map>
#include <tuple>

#include <plateau/backend/cuda/blas_choice.cuh>

namespace plateau::backend::cuda {

struct blas::state {
    static constexpr std::size_t workspace_bytes = std::size_t{4}
                                                   << 20;  // kernels that do not split sums need little or none

    explicit state(stream_handle s)
        : stream{s}, handle{made<blas_handle>("to start", cublas().create)},
          workspace_memory{s}, workspace{workspace_memory.get(workspace_bytes)} {}

    blas_algorithms const& algorithms(product_kind kind, index outputs, index inputs, matrix_rows w) {
        auto const key = std::tuple{kind, outputs, inputs};
        auto const found = chosen.find(key);
        if (found != chosen.end()) return found->second;
        return chosen
            .emplace(key,
                     blas_choice{handle.get(), kind, outputs, inputs, w, workspace, workspace_bytes, stream}.best())
            .first->second;
    }

    stream_handle stream;
    blas_handle handle;
    growing_memory workspace_memory;
    void* workspace;
    std::map<std::tuple<product_kind, index, index>, blas_algorithms> chosen;
};

void blas::end_state::operator()(state* old) const { delete old; }

blas::blas(stream_handle stream)
    : stream_{stream}, scratch_{growing_memory{stream}, growing_memory{stream}, growing_memory{stream},
                                growing_memory{stream}} {}

blas::~blas() = default;

void blas::load() { cublas(); }

void blas::multiply(product_kind kind, index rows, index outputs, index inputs, matrix_rows x, matrix_rows w, void* y,
                    index y_stride, bool add) {
    if (rows == 0 || outputs == 0) return;
    if (!state_) state_.reset(new state{stream_});
    auto const& algorithm = state_->algorithms(kind, outputs, inputs, w).of(rows);
    blas_product const product{kind, rows, outputs, inputs, x.stride, w.stride, y_stride};
    auto const status = product.start(state_->handle.get(), algorithm, x.data, w.data, y, add, state_->workspace,
                                      state::workspace_bytes, stream_);
    if (status != CUBLAS_STATUS_SUCCESS) [[unlikely]]
        check(status, concat({"a matrix product of ", rows, " x ", inputs, " and ", inputs, " x ", outputs}));
}

}  // namespace plateau::backend::cuda
