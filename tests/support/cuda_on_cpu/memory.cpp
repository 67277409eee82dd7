#include "support/cuda_on_cpu/memory.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <new>

#include "support/cuda_on_cpu/address_sanitizer.hpp"
#include "support/cuda_on_cpu/block.hpp"

namespace cuda_on_cpu {

namespace {

constexpr std::align_val_t alignment{256};  // cudaMalloc's

std::map<std::uintptr_t, std::size_t> sizes;  // by address
std::size_t in_use = 0, in_pool = 0, kept = 0, whole_memory = std::size_t{1} << 32;

struct pinned_block {
    std::size_t bytes;
    // the number of the last copy from it, and as far as they read, or 0 if the host may touch it
    std::uint64_t read = 0;
    std::size_t until = 0;
};
std::map<std::uintptr_t, pinned_block> pinned;  // by address
std::uint64_t reads_so_far = 0;
std::size_t given = 0, taken = 0;
int objects = 0;

std::uintptr_t address_of(void const* memory) { return reinterpret_cast<std::uintptr_t>(memory); }

}  // namespace

void* allocate(std::size_t bytes) {
    if (bytes > whole_memory - std::min(in_use, whole_memory)) return nullptr;
    void* const memory = ::operator new(bytes, alignment, std::nothrow);
    if (memory == nullptr) return nullptr;
    poison_values(memory, bytes);
    sanitizer::poison(memory, bytes);
    sizes[address_of(memory)] = bytes;
    in_use += bytes;
    in_pool = std::max(in_pool, in_use);
    return memory;
}

bool release(void* memory) {
    if (memory == nullptr) return true;
    auto const found = sizes.find(address_of(memory));
    if (found == sizes.end()) return false;
    sanitizer::unpoison(memory, found->second);
    in_use -= found->second;
    sizes.erase(found);
    ::operator delete(memory, alignment);
    return true;
}

bool is_device_memory(void const* memory, std::size_t bytes) {
    auto const after = sizes.upper_bound(address_of(memory));
    if (after == sizes.begin()) return false;
    auto const& [start, size] = *std::prev(after);
    return address_of(memory) + bytes <= start + size;
}

std::size_t bytes_allocated() { return in_use; }

std::size_t pool_size() { return in_pool; }
void keep_in_pool(std::size_t bytes) { kept = bytes; }
void trim_pool() { in_pool = std::max(in_use, std::min(in_pool, kept)); }

void set_memory_size(std::size_t bytes) {
    whole_memory = bytes;
    in_pool = in_use;
}
std::size_t memory_size() { return whole_memory; }

void* allocate_pinned(std::size_t bytes) {
    void* const memory = ::operator new(bytes, alignment, std::nothrow);
    if (memory == nullptr) return nullptr;
    poison_values(memory, bytes);
    pinned[address_of(memory)].bytes = bytes;
    return memory;
}

bool release_pinned(void* memory) {
    if (memory == nullptr) return true;
    auto const found = pinned.find(address_of(memory));
    if (found == pinned.end()) return false;
    sanitizer::unpoison(memory, found->second.bytes);
    pinned.erase(found);
    ::operator delete(memory, alignment);
    return true;
}

void device_reads(void const* memory, std::size_t bytes) {
    taken += bytes;
    auto const after = pinned.upper_bound(address_of(memory));
    if (after == pinned.begin()) return;
    auto& [start, block] = *std::prev(after);
    if (address_of(memory) >= start + block.bytes) return;
    block.read = ++reads_so_far;
    block.until = std::max(block.until, address_of(memory) + bytes - start);
    sanitizer::poison(reinterpret_cast<void const*>(start), block.until);
}

std::uint64_t reads() { return reads_so_far; }

void wait_for_reads(std::uint64_t number) {
    for (auto& [start, block] : pinned) {
        if (block.read == 0 || block.read > number) continue;
        block.read = 0;
        block.until = 0;
        sanitizer::unpoison(reinterpret_cast<void const*>(start), block.bytes);
    }
}

void device_gives(std::size_t bytes) { given += bytes; }
std::size_t bytes_given() { return given; }
std::size_t bytes_taken() { return taken; }

void count_object(int more) { objects += more; }

std::size_t allocations() { return sizes.size() + pinned.size() + static_cast<std::size_t>(objects); }

open_memory::open_memory() {
    for (auto const& [start, block] : pinned) sanitizer::unpoison(reinterpret_cast<void const*>(start), block.until);
    for (auto const& [start, size] : sizes) sanitizer::unpoison(reinterpret_cast<void const*>(start), size);
}

open_memory::~open_memory() {
    for (auto const& [start, block] : pinned) sanitizer::poison(reinterpret_cast<void const*>(start), block.until);
    for (auto const& [start, size] : sizes) sanitizer::poison(reinterpret_cast<void const*>(start), size);
}

}  // namespace cuda_on_cpu
