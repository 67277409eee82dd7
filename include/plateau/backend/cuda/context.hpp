#pragma once
/// The CUDA backend's context.

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

#include <plateau/backend/concepts.hpp>
#include <plateau/backend/cuda/blas.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/backend/cuda/runtime.hpp>
#include <plateau/backend/cuda/staging.hpp>
#include <plateau/backend/float_products.hpp>

namespace plateau::backend {

template <class T, std::size_t Rank>
class device_buffer;
template <class T>
class device_weight;
template <class T>
struct attention_tiles;
class repeated_work;
class finite_notes_on_device;

/// A stream of the current device. Operations are given to the stream and return at once; the memory of views that they
/// were given must live until it has been through them, as that of a `device_buffer` of the same context does. One host
/// thread gives the work of a context.
class cuda_context {
public:
    using space = device_space;
    template <class T, std::size_t Rank>
    using buffer = device_buffer<T, Rank>;
    template <class T>
    using weight = device_weight<T>;
    template <class T>
    using attention_work = attention_tiles<T>;
    using repeated = repeated_work;
    using finite_notes = finite_notes_on_device;

    /// Device memory that is released stays with the process.
    /// @param block_rows  that travel together, if there is memory for so many
    /// @throws device_error where there is no driver or no device, usage_error on products that it has not
    explicit cuda_context(float_products products = float_products::fp32, index block_rows = 16384)
        : products_{products}, block_rows_{block_rows} {
        if (products == float_products::bf16x6 || products == float_products::bf16)
            throw usage_error("a device forms no products in ", name_of(products), ": fp32, tf32 and bf16x3 are");
        cuda::keep_released_memory();
    }
    cuda_context(cuda_context const&) = delete;
    cuda_context& operator=(cuda_context const&) = delete;

    /// Host threads that walk blocks of rows through the layers.
    int threads() const { return 1; }
    index block_rows() const { return block_rows_; }
    float_products products() const { return products_; }
    cuda::stream_handle stream() const { return stream_; }
    /// Who is told of what the user should know, as that memory for whole blocks of rows is not there: nobody without
    /// this.
    void on_notice(std::function<void(std::string const&)> take) { notice_ = std::move(take); }
    void notice(std::string const& text) const {
        if (notice_) notice_(text);
    }
    /// Whether work that comes by again is recorded, and then given in one call: it is, unless somebody wants to
    /// compare. No result depends on it.
    void record_work(bool wanted) { records_work_ = wanted; }
    bool records_work() const { return records_work_; }
    /// As "NVIDIA H100 80GB HBM3".
    std::string device_name() const { return cuda::device_name(); }

    /// Waits for all operations. @throws device_error what of them failed
    void synchronize() const { cuda::synchronize(stream_); }

    /// What the operations of this backend share: matrix products and their scratch memory, which grows with the
    /// largest block of rows; the way of weights to the device, for many host threads.
    cuda::blas& blas() const { return blas_; }
    cuda::staging& staging() const { return staging_; }

private:
    cuda::owned_stream stream_;  // first, so that it ends last
    float_products products_;
    index block_rows_;
    bool records_work_ = true;
    std::function<void(std::string const&)> notice_;
    mutable cuda::blas blas_{stream_};
    mutable cuda::staging staging_{stream_};
};

static_assert(Backend<cuda_context>);

template <>
inline constexpr op_set operations_of<cuda_context, float> = op_set{operations};
template <>
inline constexpr op_set operations_of<cuda_context, double> = op_set{operations};

}  // namespace plateau::backend
