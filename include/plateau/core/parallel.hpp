#pragma once
/// A dynamic parallel loop over independent items.

#include <memory>
#include <type_traits>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// Threads to use for a request: 0 means one per hardware thread.
int resolve_threads(int requested);

/// Calls body(item, worker) for every item in [0, count), on min(threads, count) threads; worker is in
/// [0, threads) and owned by one thread at a time. Items are handed out in order, one by one.
/// After an exception no new item starts; the exception of the smallest failed item is rethrown.
template <class Body>
void parallel_for(int threads, index count, Body&& body);

namespace detail {

/// The loop itself, compiled once for all bodies: call(body, item, worker).
void parallel_for(int threads, index count, void* body, void (*call)(void*, index, int));

}  // namespace detail

template <class Body>
void parallel_for(int threads, index count, Body&& body) {
    using function = std::remove_reference_t<Body>;
    auto const call = [](void* erased, index item, int worker) { (*static_cast<function*>(erased))(item, worker); };
    detail::parallel_for(threads, count, const_cast<void*>(static_cast<void const*>(std::addressof(body))), call);
}

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/parallel.ipp>
#endif
