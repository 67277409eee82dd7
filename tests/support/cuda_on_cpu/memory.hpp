#pragma once
/// Device memory: the heap's, out of the host's reach except while a kernel or a copy runs.

#include <cstddef>
#include <cstdint>

namespace cuda_on_cpu {

/// Between kernels the address sanitizer refuses every access of the host to device memory; at all times what lies
/// beyond an allocation's end, and what was released.
void* allocate(std::size_t bytes);

/// @return false unless `memory` is null or what `allocate` gave and nobody released yet
bool release(void* memory);

/// True if [memory, memory + bytes) lies in one allocation.
bool is_device_memory(void const* memory, std::size_t bytes);

/// Pinned host memory, as `allocate` and `release`. The host may not touch what the device has yet to read.
void* allocate_pinned(std::size_t bytes);
bool release_pinned(void* memory);

/// The device was told to read from here, which matters if it is pinned memory: the host may not touch it until
/// `wait_for_reads` of a number that `reads` gave since.
void device_reads(void const* memory, std::size_t bytes);
std::uint64_t reads();
void wait_for_reads(std::uint64_t number);

/// Bytes that went from device to host so far, and from host to device.
void device_gives(std::size_t bytes);
std::size_t bytes_given();
std::size_t bytes_taken();

/// Things of the device that need to be released in another way, as handles: one more, or one less.
void count_object(int more);

/// Allocations and objects not released yet; bytes of device memory among them.
std::size_t allocations();
std::size_t bytes_allocated();

/// What `allocate` holds of the device: all that is in use, and of what was released whatever the last `trim_pool`
/// left, which is as many bytes as `keep_in_pool` said last; none without it.
std::size_t pool_size();
void keep_in_pool(std::size_t bytes);
void trim_pool();

/// The memory that the device has; beyond it an allocation fails. What the pool does not use, it does not hold then.
void set_memory_size(std::size_t bytes);
std::size_t memory_size();

/// As long as one of these lives, device memory may be touched.
class open_memory {
public:
    open_memory();
    ~open_memory();
    open_memory(open_memory const&) = delete;
    open_memory& operator=(open_memory const&) = delete;
};

}  // namespace cuda_on_cpu
