#pragma once
/// Pages of fresh memory.

#include <cstddef>
#include <cstdint>

#include <sys/mman.h>

namespace plateau::tensor {

/// Asks the system at once for the pages of memory that is about to be written. A fault for each of them costs a third
/// more time than the writing itself. Values stay as they are; where the system cannot do it, nothing happens.
inline void claim_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_POPULATE_WRITE  // Linux 5.14
    constexpr std::size_t page = 4096, worthwhile = 2 * page;
    if (bytes < worthwhile) return;
    auto const address = reinterpret_cast<std::uintptr_t>(memory);
    auto const first = address / page * page, last = (address + bytes + page - 1) / page * page;
    static_cast<void>(::madvise(reinterpret_cast<void*>(first), last - first, MADV_POPULATE_WRITE));
#endif
}

/// The whole pages among some memory, which nobody else has a part of.
struct whole_pages {
    static constexpr std::size_t page = 4096;

    whole_pages(void* memory, std::size_t bytes) {
        auto const begin = reinterpret_cast<std::uintptr_t>(memory);
        auto const begins = (begin + page - 1) / page * page, ends = (begin + bytes) / page * page;
        first = reinterpret_cast<void*>(begins);
        size = ends > begins ? ends - begins : 0;
    }

    /// Gives them back to the system: values are lost, and memory is there again when it is written to.
    void give_back() const { static_cast<void>(::madvise(first, size, MADV_DONTNEED)); }
    /// Asks for large pages, which come and go sooner.
    void prefer_large() const { static_cast<void>(::madvise(first, size, MADV_HUGEPAGE)); }

    void* first;
    std::size_t size;
};

}  // namespace plateau::tensor
