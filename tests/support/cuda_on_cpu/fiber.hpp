#pragma once
/// A stack of its own, to and from which the processor switches: one thread of a kernel. The sanitizers are told of
/// every switch.

#include <cstddef>
#include <memory>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace cuda_on_cpu {

/// Where a stack was left.
struct context {
    void* stack_pointer = nullptr;
#if !defined(__x86_64__)
    ucontext_t registers;
#endif
    // what the address sanitizer knows of it
    void* fake_stack = nullptr;
    void const* bottom = nullptr;
    std::size_t size = 0;
};

class fiber {
public:
    /// @param body  runs once per `resume` from its start, and must not throw; it leaves by returning or by `yield`
    explicit fiber(void (*body)());
    fiber(fiber const&) = delete;
    fiber& operator=(fiber const&) = delete;

    /// Runs the fiber until it yields or its body ends.
    /// @return true if the body ended; the next `resume` starts it anew
    bool resume();

    /// From within: back to whoever resumed it.
    void yield();

private:
    static constexpr std::size_t stack_bytes = 128 * 1024;

    static void enter();
    void loop();

    void (*body_)();
    std::unique_ptr<char[]> stack_;
    context inside_, outside_;
    bool ended_ = false;
};

}  // namespace cuda_on_cpu
