#pragma once
/// One block of threads at a time, each a fiber, in an order that a seed decides.

#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "support/cuda_on_cpu/vocabulary.hpp"

namespace cuda_on_cpu {

/// A kernel broke the rules of CUDA: what, which kernel, block and thread. On a device it would hang or be undefined.
class broken_rule : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// The order in which threads and blocks run, and what memory holds that nobody wrote, are functions of the seed.
void set_seed(std::uint64_t seed);

/// Fills memory with what no kernel may take for a value; which of three patterns, the seed says.
void poison_values(void* memory, std::size_t bytes);

/// Runs `thread` for every thread of every block. @param name  of the kernel, for messages
/// @throws broken_rule
void run_grid(std::string name, dim3 grid, dim3 block, std::function<void()> thread);

/// Shared memory of the running block: the same for the same key, its own red zones around it, gone with the block.
void* shared_memory(void const* key, std::size_t bytes, std::size_t alignment);

/// Where in a kernel something was called.
struct place {
    char const* file = "";
    int line = 0;
    bool operator==(place const& other) const {
        return line == other.line && (file == other.file || std::strcmp(file, other.file) == 0);
    }
};

enum class collective { shuffle, ballot, synchronise };

/// All threads of the block arrive before any goes on.
void barrier(place at);

/// All lanes of `mask` arrive at the same call before any goes on.
/// @param value   what this lane gives; for a ballot 0 or 1
/// @param source  the lane whose value this one wants, of a shuffle
/// @return that value; of a ballot, which lanes gave 1
std::uint64_t warp_call(collective kind, unsigned mask, std::uint64_t value, unsigned source, place at);

/// This thread's lane in its warp.
unsigned lane();

template <class T>
T shuffle(unsigned mask, T value, unsigned source, place at) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    bits = warp_call(collective::shuffle, mask, bits, source, at);
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace cuda_on_cpu
