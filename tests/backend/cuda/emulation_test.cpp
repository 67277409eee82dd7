// That the emulation of CUDA computes what CUDA says, and that it sees what CUDA forbids.
#include <cuda_runtime.h>

#include <numeric>
#include <vector>

#include <plateau/backend/cuda/block_shared.cuh>
#include <plateau/backend/cuda/launch.cuh>
#include <plateau/backend/cuda/packs.cuh>
#include <plateau/backend/cuda/reduce.cuh>

#include "backend/cuda/on_device.hpp"

namespace plateau::testing::kernels {

using namespace plateau::backend::cuda;

inline void reverse(int* x) {
    int* const cells = block_shared<int, 64, struct reversed>();
    cells[threadIdx.x] = x[threadIdx.x];
    __syncthreads();
    x[threadIdx.x] = cells[blockDim.x - 1 - threadIdx.x];
}

inline void reverse_without_barrier(int* x) {
    int* const cells = block_shared<int, 64, struct reversed>();
    cells[threadIdx.x] = x[threadIdx.x];
    x[threadIdx.x] = cells[blockDim.x - 1 - threadIdx.x];
}

inline void half_barrier(int* x) {
    if (threadIdx.x < 32) __syncthreads();
    x[threadIdx.x] = 1;
}

inline void two_barriers(int* x) {
    if (threadIdx.x < 32) __syncthreads();
    else __syncthreads();
    x[threadIdx.x] = 1;
}

inline void early_end(int* x) {
    if (threadIdx.x == 40) return;
    __syncthreads();
    x[threadIdx.x] = 1;
}

inline void mask_of_ended(int* x) {
    if (threadIdx.x == 5) return;
    x[threadIdx.x] = __shfl_xor_sync(whole_warp, x[threadIdx.x], 1);
}

inline void mask_without_own(int* x) { x[threadIdx.x] = __shfl_sync(1u, x[threadIdx.x], 0); }

inline void mask_beyond_block(int* x) { x[threadIdx.x] = static_cast<int>(__ballot_sync(whole_warp, 1)); }

inline void source_beyond_mask(int* x) {
    if (threadIdx.x < 8) x[threadIdx.x] = __shfl_down_sync(0xFFu, x[threadIdx.x], 4);
}

inline void divergent_warp(int* x) {
    if (threadIdx.x % 2 == 0) x[threadIdx.x] = __shfl_xor_sync(whole_warp, 1, 1);
    else x[threadIdx.x] = __shfl_xor_sync(whole_warp, 2, 1);
}

inline void unwritten_cell(float* x) {
    float* const cells = block_shared<float, 4, struct unwritten>();
    x[threadIdx.x] = cells[threadIdx.x % 4];
}

inline void cell_beyond(float* x) {
    float* const cells = block_shared<float, 4, struct beyond>();
    x[threadIdx.x] = cells[threadIdx.x];
}

inline void everything_of_warps(int* x) {
    int const lane = static_cast<int>(threadIdx.x % 32), of_thread = static_cast<int>(threadIdx.x);
    int* const out = x + threadIdx.x * 8;
    out[0] = __shfl_sync(whole_warp, of_thread, 7);
    out[1] = __shfl_down_sync(whole_warp, of_thread, 3);
    out[2] = __shfl_xor_sync(whole_warp, of_thread, 5);
    out[3] = static_cast<int>(__ballot_sync(whole_warp, lane % 3 == 0));
    out[4] = __any_sync(whole_warp, lane == 31) * 2 + __all_sync(whole_warp, lane < 31);
    out[5] = lane < 4 ? __shfl_sync(0xFu, of_thread, 2) : __shfl_sync(~0xFu, of_thread, 9);
    out[6] = warp_max(of_thread % 17);
    out[7] = block_sum<2>(of_thread);
    __syncwarp();
}

inline void count(unsigned long long* total) { atomicAdd(total, 1); }

inline void read(float const* x, index i, float* out) { *out = x[i]; }

}  // namespace plateau::testing::kernels

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

/// x after the kernel, one block of x.size() threads.
template <class T>
buffer<T, 1> after(void (*kernel)(T*), buffer<T, 1> const& x, unsigned threads) {
    backend::cuda_context const ctx;
    auto on_device = backend::to_device(ctx, x);
    backend::cuda::launch(kernel, 1, threads, 0, ctx.stream(), on_device.view().data());
    return backend::to_host(ctx, on_device);
}

buffer<int, 1> counted(index size) {
    buffer<int, 1> x({size});
    std::iota(x.data(), x.data() + size, 0);
    return x;
}

TEST_CASE("a barrier lets every thread see what all wrote", "[cuda][emulation]") {
    cuda_on_cpu::set_seed(GENERATE(range(0, 20)));
    auto const x = after(kernels::reverse, counted(64), 64);
    for (int i = 0; i < 64; ++i) REQUIRE(x(i) == 63 - i);
}

TEST_CASE("a missing barrier shows for every seed", "[cuda][emulation]") {
    cuda_on_cpu::set_seed(GENERATE(range(0, 20)));
    auto const x = after(kernels::reverse_without_barrier, counted(64), 64);
    int wrong = 0;
    for (int i = 0; i < 64; ++i) wrong += x(i) != 63 - i;
    CHECK(wrong > 16);
}

TEST_CASE("shuffles, votes and reductions", "[cuda][emulation]") {
    auto const x =
        in_every_order([](auto const&) { return after(kernels::everything_of_warps, buffer<int, 1>({512}), 64); });
    for (int t = 0; t < 64; ++t) {
        int const lane = t % 32, warp = t - lane;
        int const* const out = x.data() + t * 8;
        CAPTURE(t);
        REQUIRE(out[0] == warp + 7);
        REQUIRE(out[1] == (lane + 3 < 32 ? t + 3 : t));
        REQUIRE(out[2] == (t ^ 5));
        REQUIRE(static_cast<unsigned>(out[3]) == 0x49249249u);
        REQUIRE(out[4] == 2);
        REQUIRE(out[5] == warp + (lane < 4 ? 2 : 9));
        REQUIRE(out[6] == 16);
        REQUIRE(out[7] == 63 * 64 / 2);
    }
}

TEST_CASE("every thread of every block runs once", "[cuda][emulation]") {
    backend::cuda_context const ctx;
    auto total = backend::to_device(ctx, buffer<unsigned long long, 1>({1}));
    backend::cuda::launch(&kernels::count, dim3{3, 5, 2}, dim3{7, 2, 3}, 0, ctx.stream(), total.view().data());
    CHECK(backend::to_host(ctx, total)(0) == 3 * 5 * 2 * 7 * 2 * 3);
}

/// The rule that a kernel breaks, in words; the seed decides which thread is caught.
std::string offence_of(void (*kernel)(int*), unsigned threads) {
    try {
        after(kernel, counted(64), threads);
    } catch (cuda_on_cpu::broken_rule const& e) {
        return e.what();
    }
    return "none";
}

TEST_CASE("what CUDA forbids is refused, with kernel, block and thread", "[cuda][emulation]") {
    cuda_on_cpu::set_seed(GENERATE(range(0, 10)));
    std::string const half = offence_of(kernels::half_barrier, 64);
    CHECK_THAT(half, contains("kernels::half_barrier"));
    CHECK_THAT(half, contains("block (0, 0, 0), thread ("));
    CHECK_THAT(half, contains("divergent barrier"));
    CHECK_THAT(half, contains("emulation_test.cpp:"));
    CHECK_THAT(offence_of(kernels::two_barriers, 64), contains("divergent barrier"));
    CHECK_THAT(offence_of(kernels::early_end, 64), contains("others have ended"));
    std::string const ended = offence_of(kernels::mask_of_ended, 32);
    bool const named = ended.find("lane 5, which has ended") != std::string::npos;  // or it ended after the others came
    CHECK((named || ended.find("for lanes of its mask that ended") != std::string::npos));
    CHECK_THAT(offence_of(kernels::mask_without_own, 32), contains("does not name its own lane"));
    CHECK_THAT(offence_of(kernels::mask_beyond_block, 20), contains("which the block has not"));
    CHECK_THAT(offence_of(kernels::source_beyond_mask, 32), contains("which its mask does not name"));
    CHECK_THAT(offence_of(kernels::divergent_warp, 32), contains("divergent warp"));
    CHECK(offence_of(kernels::reverse, 64) == "none");  // and goes on after all that
}

TEST_CASE("nobody can take shared memory for written that is not", "[cuda][emulation]") {
    cuda_on_cpu::set_seed(0);
    auto const nothing = after(kernels::unwritten_cell, buffer<float, 1>({4}), 4);
    for (float value : nothing.flat()) CHECK(std::isnan(value));
    cuda_on_cpu::set_seed(1);
    auto const much = after(kernels::unwritten_cell, buffer<float, 1>({4}), 4);
    for (float value : much.flat()) CHECK(value > 1e38f);
}

TEST_CASE("device memory that nobody wrote holds no values either", "[cuda][emulation]") {
    cuda_on_cpu::set_seed(0);
    backend::cuda_context const ctx;
    auto const x = backend::to_host(ctx, backend::device_buffer<float, 1>{ctx, {7}});
    for (float value : x.flat()) CHECK(std::isnan(value));
}

// What the address sanitizer ends the program for: CTest runs these one by one.

TEST_CASE("offence: the host reads device memory", "[.offence]") {
    backend::cuda_context const ctx;
    auto const x = backend::to_device(ctx, buffer<float, 1>({8}));
    CHECK(*x.view().data() == 0);
}

TEST_CASE("offence: a kernel reads one element too far", "[.offence]") {
    backend::cuda_context const ctx;
    auto const x = backend::to_device(ctx, buffer<float, 1>({7}));
    backend::device_buffer<float, 1> out{ctx, {1}};
    backend::cuda::launch(&kernels::read, 1, 1, 0, ctx.stream(), x.view().data(), 7, out.view().data());
}

TEST_CASE("offence: a kernel reads what was released", "[.offence]") {
    backend::cuda_context const ctx;
    auto x = backend::to_device(ctx, buffer<float, 1>({7}));
    float const* const gone = x.view().data();
    x = {};
    static_cast<void>(backend::device_buffer<float, 1>{std::move(x)});
    backend::device_buffer<float, 1> out{ctx, {1}};
    backend::cuda::launch(&kernels::read, 1, 1, 0, ctx.stream(), gone, 0, out.view().data());
}

TEST_CASE("offence: a kernel reads one shared cell too far", "[.offence]") {
    after(kernels::cell_beyond, buffer<float, 1>({5}), 5);
}

}  // namespace
