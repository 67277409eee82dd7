#include <plateau/backend/cuda/buffer.hpp>

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
TEST_CASE("errors of CUDA say what was asked for and what to do", "[cuda][buffer]") {
    auto const message_of = [](cudaError_t status, auto const& f) -> std::string {
        cuda_on_cpu::fail_call(1, status);
        try {
            f();
        } catch (error const& e) {
            return e.what();
        }
        return "none";
    };
    auto const make_context = [] { backend::cuda_context const ctx; };
    CHECK_THAT(message_of(cudaErrorNoDevice, make_context), contains("use --backend cpu"));
    CHECK_THAT(message_of(cudaErrorInsufficientDriver, make_context), contains("install a driver"));
    backend::cuda_context const ctx;
    CHECK_THAT(message_of(cudaErrorMemoryAllocation, [&] { backend::device_buffer<float, 1>{ctx, {8}}; }),
               contains("no memory for 32 bytes of device memory; use smaller blocks"));
    CHECK_THAT(message_of(cudaErrorInvalidValue, [&] { ctx.synchronize(); }), contains("under compute-sanitizer"));
    cuda_on_cpu::fail_call(1, cudaErrorMemoryAllocation);
    CHECK_THROWS_AS((backend::device_buffer<float, 1>{ctx, {8}}), memory_error);
}
#else
TEST_CASE("more memory than a device has is an error that says so, and the next operation works", "[cuda][buffer]") {
    backend::cuda_context const ctx;
    CHECK_THROWS_AS((backend::device_buffer<float, 1>{ctx, {index{1} << 42}}), memory_error);
    auto const x = random_buffer<float, 1>({1000}, 1);
    CHECK(same_bits(backend::to_host(ctx, backend::to_device(ctx, x)).data(), x.data(), 1000));
}
#endif

}  // namespace
