#include "support/cuda_on_cpu/fiber.hpp"

#include <cstdint>

#include "support/cuda_on_cpu/address_sanitizer.hpp"

#if defined(__x86_64__)
// Saves what a called function must preserve, changes the stack, and returns on the other one. swapcontext would also
// ask the kernel for the signal mask every time, and the address sanitizer would clear all of the stack's shadow.
extern "C" void cuda_on_cpu_switch(void** from, void* to);
asm(R"(
.text
.p2align 4
.type cuda_on_cpu_switch, @function
cuda_on_cpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size cuda_on_cpu_switch, .-cuda_on_cpu_switch
)");
#endif

namespace cuda_on_cpu {

namespace {

fiber* entering = nullptr;

/// @pre `from` is the running context
void switch_to(context& from, context& to) {
    sanitizer::start_switch(&from.fake_stack, to.bottom, to.size);
#if defined(__x86_64__)
    cuda_on_cpu_switch(&from.stack_pointer, to.stack_pointer);
#else
    swapcontext(&from.registers, &to.registers);
#endif
    sanitizer::finish_switch(from.fake_stack, nullptr, nullptr);
}

}  // namespace

fiber::fiber(void (*body)()) : body_{body}, stack_{new char[stack_bytes]} {
    inside_.bottom = stack_.get();
    inside_.size = stack_bytes;
#if defined(__x86_64__)
    auto top = (reinterpret_cast<std::uintptr_t>(stack_.get()) + stack_bytes) & ~std::uintptr_t{15};
    auto* slots = reinterpret_cast<void**>(top);
    *--slots = nullptr;  // where `enter` would return to; it never does
    *--slots = reinterpret_cast<void*>(&fiber::enter);
    for (int saved = 0; saved < 6; ++saved) *--slots = nullptr;
    inside_.stack_pointer = slots;
#else
    getcontext(&inside_.registers);
    inside_.registers.uc_stack.ss_sp = stack_.get();
    inside_.registers.uc_stack.ss_size = stack_bytes;
    makecontext(&inside_.registers, &fiber::enter, 0);
#endif
}

bool fiber::resume() {
    ended_ = false;
    entering = this;
    switch_to(outside_, inside_);
    return ended_;
}

void fiber::yield() { switch_to(inside_, outside_); }

void fiber::enter() {
    fiber* const self = entering;
    sanitizer::finish_switch(nullptr, &self->outside_.bottom, &self->outside_.size);
    self->loop();
}

void fiber::loop() {
    for (;;) {
        body_();
        ended_ = true;
        yield();
    }
}

}  // namespace cuda_on_cpu
