#pragma once
/// Shared objects that are cheap to compile.

#include <memory>
#include <utility>

namespace plateau {

/// As std::make_shared, with two allocations instead of one: a third of the functions to instantiate. For what is made
/// once.
template <class T, class... Arguments>
std::shared_ptr<T> shared(Arguments&&... arguments) {
    return std::shared_ptr<T>(new T(std::forward<Arguments>(arguments)...));
}

/// The same as its base, which has a virtual destructor: one deleter serves all that derive from it.
template <class Base, class T, class... Arguments>
std::shared_ptr<Base> shared_as(Arguments&&... arguments) {
    return std::shared_ptr<Base>(static_cast<Base*>(new T(std::forward<Arguments>(arguments)...)));
}

}  // namespace plateau
