#pragma once
/// A dynamic parallel loop over independent items.

#include <algorithm>
#include <atomic>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau {

/// Threads to use for a request: 0 means one per hardware thread.
inline int resolve_threads(int requested) {
    if (requested > 0) return requested;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

/// Calls body(item, worker) for every item in [0, count), on min(threads, count) threads; worker is in
/// [0, threads) and owned by one thread at a time. Items are handed out in order, one by one.
/// After an exception no new item starts; the exception of the smallest failed item is rethrown.
template <class Body>
void parallel_for(int threads, index count, Body&& body);

namespace detail {

/// The loop itself, compiled once for all bodies: call(body, item, worker).
inline void parallel_for(int threads, index count, void* body, void (*call)(void*, index, int)) {
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
    std::vector<std::thread> helpers;
    if (workers > 1) helpers.reserve(static_cast<std::size_t>(workers) - 1);  // may throw now, not between two starts
    for (int worker = 1; worker < workers; ++worker) {
        try {
            helpers.emplace_back(work, worker);
        } catch (std::system_error const&) {
            break;  // the system gives no more threads: those that run take the remaining items
        }
    }
    work(0);
    for (auto& helper : helpers) helper.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace detail

template <class Body>
void parallel_for(int threads, index count, Body&& body) {
    using function = std::remove_reference_t<Body>;
    auto const call = [](void* erased, index item, int worker) { (*static_cast<function*>(erased))(item, worker); };
    detail::parallel_for(threads, count, const_cast<void*>(static_cast<void const*>(std::addressof(body))), call);
}

}  // namespace plateau
