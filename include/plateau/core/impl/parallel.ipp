#pragma once
/// Bodies of core/parallel.hpp.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include <plateau/core/macros.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

PLATEAU_INLINE int resolve_threads(int requested) {
    if (requested > 0) return requested;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

namespace detail {

PLATEAU_INLINE_HOT void parallel_for(int threads, index count, void* body, void (*call)(void*, index, int)) {
    std::atomic<index> next{0};
    std::atomic<bool> stopped{false};
    std::mutex guard;
    std::exception_ptr failure;
    index failed_item = std::numeric_limits<index>::max();
    auto const work = [&](int worker) {
        while (!stopped.load(std::memory_order_relaxed)) {
            index const item = next.fetch_add(1);
            if (item >= count) return;
            try {
                call(body, item, worker);
            } catch (...) {
                std::lock_guard const lock{guard};
                stopped = true;
                if (item < failed_item) {
                    failed_item = item;
                    failure = std::current_exception();
                }
            }
        }
    };
    int const workers = static_cast<int>(std::min<index>(std::max(threads, 1), count));
    std::unique_ptr<std::thread[]> const helpers{new std::thread[static_cast<std::size_t>(std::max(workers, 1))]};
    int started = 1;
    for (; started < workers; ++started) {
        try {
            helpers[static_cast<std::size_t>(started)] = std::thread{work, started};
        } catch (std::system_error const&) {
            break;  // the system gives no more threads: those that run take the remaining items
        }
    }
    work(0);
    for (int worker = 1; worker < started; ++worker) helpers[static_cast<std::size_t>(worker)].join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace detail

}  // namespace plateau
