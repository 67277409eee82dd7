#pragma once
/// What the emulation tells the address sanitizer; nothing where there is none.

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define CUDA_ON_CPU_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUDA_ON_CPU_HAS_ASAN 1
#endif
#endif

#if defined(CUDA_ON_CPU_HAS_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace cuda_on_cpu::sanitizer {

#if defined(CUDA_ON_CPU_HAS_ASAN)
inline void poison(void const* memory, std::size_t bytes) { __asan_poison_memory_region(memory, bytes); }
inline void unpoison(void const* memory, std::size_t bytes) { __asan_unpoison_memory_region(memory, bytes); }
inline void start_switch(void** fake_stack, void const* bottom, std::size_t size) {
    __sanitizer_start_switch_fiber(fake_stack, bottom, size);
}
inline void finish_switch(void* fake_stack, void const** bottom, std::size_t* size) {
    __sanitizer_finish_switch_fiber(fake_stack, bottom, size);
}
#else
inline void poison(void const*, std::size_t) {}
inline void unpoison(void const*, std::size_t) {}
inline void start_switch(void**, void const*, std::size_t) {}
inline void finish_switch(void*, void const**, std::size_t*) {}
#endif

}  // namespace cuda_on_cpu::sanitizer
