#pragma once
/// A reference to something that can be called, for parameters that are called before the function returns.

#include <memory>
#include <type_traits>

namespace plateau {

template <class Signature>
class function_ref;

/// As std::function for a parameter that nobody keeps: nothing is copied, and a user's compiler makes one function of
/// each lambda instead of two, with a tenth of the templates.
template <class Result, class... Arguments>
class function_ref<Result(Arguments...)> {
public:
    /// @param callee  lives as long as this
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, function_ref>)
    function_ref(F&& callee)
        : callee_{const_cast<void*>(static_cast<void const*>(std::addressof(callee)))},
          call_{[](void* erased, Arguments... arguments) -> Result {
              return (*static_cast<std::remove_reference_t<F>*>(erased))(arguments...);
          }} {}

    Result operator()(Arguments... arguments) const { return call_(callee_, arguments...); }

private:
    void* callee_;
    Result (*call_)(void*, Arguments...);
};

}  // namespace plateau
