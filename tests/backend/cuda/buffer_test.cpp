#include <cstddef>
#include <string>

#include <plateau/backend/cuda/memory.hpp>

#include "backend/cuda/on_device.hpp"

#if PLATEAU_CUDA_ON_CPU
#include <cuda_runtime.h>
#endif

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

TEST_CASE("what goes to the device comes back with its bits", "[cuda][buffer]") {
    backend::cuda_context const ctx;
    index const size = GENERATE(0, 1, 7, 1000);
    auto const x = random_buffer<float, 2>({3, size}, 1);
    auto const back = backend::to_host(ctx, backend::to_device(ctx, x));
    CHECK(same_rows(back.view(), x.view()));
}

#if PLATEAU_CUDA_ON_CPU
TEST_CASE("a device buffer is released once, wherever it moved", "[cuda][buffer]") {
    backend::cuda_context const ctx;
    auto const before = cuda_on_cpu::allocations();
    {
        backend::device_buffer<float, 1> x{ctx, {8}}, y{ctx, {9}};
        CHECK(cuda_on_cpu::allocations() == before + 2);
        y = std::move(x);
        backend::device_buffer<float, 1> const z{std::move(y)};
        CHECK(z.extents()[0] == 8);
    }
    CHECK(cuda_on_cpu::allocations() == before);
}
#endif

TEST_CASE("shapes that cannot be, and tensors with gaps, are refused", "[cuda][buffer]") {
    backend::cuda_context const ctx;
    CHECK_THROWS_AS((backend::device_buffer<float, 2>{ctx, {3, -1}}), shape_error);
    CHECK_THROWS_AS((backend::device_buffer<float, 2>{ctx, {index{1} << 40, index{1} << 40}}), shape_error);
    auto const x = random_buffer<float, 2>({3, 8}, 1);
    CHECK_THROWS_AS(backend::to_device(ctx, tensor::view<float const, 2>{x.data(), {3, 7}, {8, 1}}), shape_error);
}

#if PLATEAU_CUDA_ON_CPU
/// What f says of the failure of one of the calls that it makes.
template <class F>
std::string message_of(cudaError_t status, F const& f, int call = 1) {
    cuda_on_cpu::fail_call(call, status);
    try {
        f();
    } catch (error const& e) {
        return e.what();
    }
    return "none";
}

void make_context() { backend::cuda_context const ctx; }

TEST_CASE("errors of CUDA say what was asked for and what to do", "[cuda][buffer]") {
    for (auto const status :
         {cudaErrorNoDevice, cudaErrorDevicesUnavailable, cudaErrorSystemNotReady, cudaErrorInitializationError}) {
        CHECK_THAT(message_of(status, make_context), contains("use --backend cpu"));
    }
    CHECK_THAT(message_of(cudaErrorInsufficientDriver, make_context), contains("install a driver"));
    backend::cuda_context const ctx;
    CHECK_THAT(message_of(
                   cudaErrorMemoryAllocation,
                   [&] {
        backend::device_buffer<float, 1>{ctx, {8}};
                   },
                   2),
               contains("no memory for 32 bytes of device memory; use smaller blocks"));
    CHECK_THAT(message_of(cudaErrorInvalidValue, [&] { ctx.synchronize(); }), contains("under compute-sanitizer"));
    cuda_on_cpu::fail_call(1, cudaErrorMemoryAllocation);
    CHECK_THROWS_AS((backend::device_buffer<float, 1>{ctx, {8}}), memory_error);
}

TEST_CASE("memory that was released stays in the pool, and is free to who plans", "[cuda][buffer]") {
    backend::cuda_context const ctx{backend::float_products::fp32, index{1} << 40};
    constexpr index bytes = index{1} << 26;
    auto const at_driver = [] {
        std::size_t free = 0, all = 0;
        REQUIRE(cudaMemGetInfo(&free, &all) == cudaSuccess);
        return static_cast<index>(free);
    };
    auto const free = [] { return static_cast<index>(backend::cuda::memory_of_device().free); };
    ctx.synchronize();
    index const before = free(), rows = backend::rows_that_fit(ctx, 1000);
    {
        backend::device_buffer<std::byte, 1> const big{ctx, {bytes}};
        CHECK(free() == before - bytes);
        CHECK(backend::rows_that_fit(ctx, 1000) == (before - bytes) / 2000);
    }
    ctx.synchronize();
    CHECK(at_driver() <= before - bytes);
    CHECK(free() == before);
    CHECK(backend::rows_that_fit(ctx, 1000) == rows);
    cuda_on_cpu::set_memory_size(cuda_on_cpu::memory_size());  // and none of it to the next test
    CHECK(at_driver() == before);
}

TEST_CASE("the pool's errors say so, and lose nothing", "[cuda][buffer]") {
    std::size_t const before = cuda_on_cpu::allocations();
    auto const failed = cudaErrorInvalidValue;
    CHECK_THAT(message_of(failed, make_context, 3), contains("refused the current device: invalid argument"));
    CHECK_THAT(message_of(failed, make_context, 4), contains("refused the pool of device memory: invalid argument"));
    CHECK_THAT(message_of(failed, make_context, 5),
               contains("refused to keep released memory in its pool: invalid argument"));
    CHECK(cuda_on_cpu::allocations() == before);
    auto const plan = [] { static_cast<void>(backend::cuda::memory_of_device()); };
    CHECK_THAT(message_of(failed, plan, 1), contains("refused the size of device memory"));
    CHECK_THAT(message_of(failed, plan, 3), contains("refused the pool of device memory"));
    CHECK_THAT(message_of(failed, plan, 4), contains("refused the size of the pool"));
    CHECK_THAT(message_of(failed, plan, 5), contains("refused what of the pool of device memory is in use"));
    CHECK_THAT(message_of(failed, plan, 6), contains("none"));
    cuda_on_cpu::fail_call(0, cudaSuccess);
}
#else
TEST_CASE("more memory than a device has is an error that says so, and the next operation works", "[cuda][buffer]") {
    backend::cuda_context const ctx;
    CHECK_THROWS_AS(
        (backend::device_buffer<float, 1>{ctx, {static_cast<index>(backend::cuda::memory_of_device().all)}}),
        memory_error);
    auto const x = random_buffer<float, 1>({1000}, 1);
    CHECK(same_bits(backend::to_host(ctx, backend::to_device(ctx, x)).data(), x.data(), 1000));
}
#endif

}  // namespace
