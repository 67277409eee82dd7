#include "support/cuda_on_cpu/block.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/rng.hpp>

#include "support/cuda_on_cpu/fiber.hpp"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace cuda_on_cpu {

namespace {

enum class state { ready, at_barrier, in_warp_call, ended };

struct thread {
    std::unique_ptr<fiber> stack;
    uint3 index;
    std::uint64_t rank = 0;  // of the ready ones the largest goes on
    state now = state::ready;
    place at = {};
    // of a warp call: what the lane gives, whose value it wants, what it gets
    std::uint64_t value = 0;
    unsigned source = 0;
    std::uint64_t result = 0;
};

/// Lanes that have arrived at a call, and wait for the others of its mask.
struct gathering {
    collective kind;
    unsigned mask;
    place at;
    unsigned arrived = 0;
    std::uint64_t votes = 0;
};

struct warp {
    unsigned present = 0, ended = 0;  // lanes
    std::vector<gathering> calls = {};
};

/// Cells of one `block_shared`, on the heap so that the address sanitizer has its red zones around them.
struct shared_cells {
    shared_cells(std::size_t bytes, std::size_t aligned_to)
        : memory{::operator new (bytes, std::align_val_t{aligned_to})}, alignment{aligned_to} {
        poison_values(memory, bytes);
    }
    shared_cells(shared_cells&& other) noexcept
        : memory{std::exchange(other.memory, nullptr)}, alignment{other.alignment} {}
    ~shared_cells() {
        if (memory != nullptr) ::operator delete (memory, std::align_val_t{alignment});
    }
    void* memory;
    std::size_t alignment;
};

std::uint64_t seed_now = 0;
plateau::counter_rng order{0};

std::string kernel_name;
std::function<void()> body;
std::vector<thread> threads;
std::vector<warp> warps;
std::size_t block_threads = 0;
bool ranks_stay = false;      // for the whole block, so that one thread is far behind all others
std::vector<unsigned> ready;  // a heap, the largest rank first
unsigned current = 0;
std::exception_ptr failure;
std::map<void const*, shared_cells> shared;

std::string text(uint3 i) {
    return "(" + std::to_string(i.x) + ", " + std::to_string(i.y) + ", " + std::to_string(i.z) + ")";
}

std::string text(place at) {
    char const* const slash = std::strrchr(at.file, '/');
    return std::string{slash == nullptr ? at.file : slash + 1} + ":" + std::to_string(at.line);
}

[[noreturn]] void refuse(unsigned id, std::string const& what) {
    throw broken_rule(kernel_name + ", block " + text(blockIdx) + ", thread " + text(threads[id].index) + ": " + what);
}

void run_thread() {
    try {
        body();
    } catch (...) {
        failure = std::current_exception();
    }
}

bool ranks_lower(unsigned a, unsigned b) { return threads[a].rank < threads[b].rank; }

void wake(unsigned id) {
    threads[id].now = state::ready;
    if (!ranks_stay) threads[id].rank = order.next();
    ready.push_back(id);
    std::push_heap(ready.begin(), ready.end(), ranks_lower);
}

/// Nobody can go on: either all wait at one barrier, or the kernel is wrong.
void release_barrier() {
    bool anyone_ended = false;
    unsigned first_waiting = 0;
    for (unsigned id = static_cast<unsigned>(block_threads); id-- > 0;) {
        if (threads[id].now == state::ended) anyone_ended = true;
        else first_waiting = id;
    }
    for (unsigned id = 0; id < block_threads; ++id) {
        auto const& one = threads[id];
        if (one.now == state::in_warp_call) {
            refuse(id, "divergent warp: it waits at " + text(one.at) +
                           " for lanes of its mask that ended or wait elsewhere");
        }
        if (one.now == state::at_barrier && !(one.at == threads[first_waiting].at)) {
            refuse(id, "divergent barrier: it waits at " + text(one.at) + ", thread " +
                           text(threads[first_waiting].index) + " at " + text(threads[first_waiting].at));
        }
    }
    if (anyone_ended)
        refuse(first_waiting,
               "divergent barrier: it waits at " + text(threads[first_waiting].at) + ", others have ended");
    for (unsigned id = 0; id < block_threads; ++id) wake(id);
}

void run_block() {
    std::size_t running = block_threads;
    ready.clear();
    ranks_stay = order.below(2) == 0;
    warps.assign((block_threads + warpSize - 1) / warpSize, warp{});
    for (unsigned id = 0; id < block_threads; ++id) {
        warps[id / warpSize].present |= 1u << id % warpSize;
        threads[id].rank = order.next();
        wake(id);
    }
    while (running > 0) {
        if (ready.empty()) release_barrier();
        std::pop_heap(ready.begin(), ready.end(), ranks_lower);
        current = ready.back();
        ready.pop_back();
        threadIdx = threads[current].index;
        bool const ended = threads[current].stack->resume();
        if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
        if (ended) {
            threads[current].now = state::ended;
            warps[current / warpSize].ended |= 1u << current % warpSize;
            --running;
        }
    }
}

std::string lanes_of(unsigned mask) {
    std::string text;
    for (unsigned l = 0; l < warpSize; ++l) {
        if ((mask >> l & 1u) != 0) text += (text.empty() ? "lane " : ", ") + std::to_string(l);
    }
    return text;
}

/// The call that the running lane arrives at: a new one, or one at which others wait.
gathering& arrive(warp& own, collective kind, unsigned mask, unsigned source, place at) {
    auto const own_bit = 1u << current % warpSize;
    if ((mask & own_bit) == 0) refuse(current, "calls at " + text(at) + " with a mask that does not name its own lane");
    if (unsigned const missing = mask & ~own.present; missing != 0) {
        refuse(current, "the mask at " + text(at) + " names " + lanes_of(missing) + ", which the block has not");
    }
    if (unsigned const gone = mask & own.ended; gone != 0) {
        refuse(current, "the mask at " + text(at) + " names " + lanes_of(gone) + ", which has ended");
    }
    if (kind == collective::shuffle && (mask >> source & 1u) == 0) {
        refuse(current,
               "reads at " + text(at) + " from lane " + std::to_string(source) + ", which its mask does not name");
    }
    for (auto& call : own.calls) {
        if (call.kind == kind && call.mask == mask && call.at == at) return call;
    }
    return own.calls.emplace_back(gathering{kind, mask, at});
}

}  // namespace

void set_seed(std::uint64_t seed) {
    seed_now = seed;
    order = plateau::counter_rng{seed};
}

void poison_values(void* memory, std::size_t bytes) {
    // not a number; 3.4e38 and 1e306; -2e-38 and nearly nothing
    constexpr std::array<int, 3> patterns{0xFF, 0x7F, 0x80};
    std::memset(memory, patterns[seed_now % patterns.size()], bytes);
}

void run_grid(std::string name, dim3 grid, dim3 block, std::function<void()> thread_body) {
    kernel_name = std::move(name);
    body = std::move(thread_body);
    gridDim = grid;
    blockDim = block;
    block_threads = std::size_t{block.x} * block.y * block.z;
    while (threads.size() < block_threads) threads.emplace_back();
    for (std::size_t id = 0; id < block_threads; ++id) {
        auto& one = threads[id];
        if (!one.stack) one.stack = std::make_unique<fiber>(&run_thread);
        auto const i = static_cast<unsigned>(id);
        one.index = {i % block.x, i / block.x % block.y, i / block.x / block.y};
    }
    std::vector<std::size_t> blocks(std::size_t{grid.x} * grid.y * grid.z);
    for (std::size_t i = 0; i < blocks.size(); ++i) blocks[i] = i;
    for (std::size_t left = blocks.size(); left > 0; --left) {
        std::swap(blocks[order.below(left)], blocks[left - 1]);
        auto const i = static_cast<unsigned>(blocks[left - 1]);
        blockIdx = {i % grid.x, i / grid.x % grid.y, i / grid.x / grid.y};
        try {
            run_block();
        } catch (...) {
            shared.clear();
            threads.clear();  // they stand in the middle of a kernel
            throw;
        }
        shared.clear();
    }
}

void* shared_memory(void const* key, std::size_t bytes, std::size_t alignment) {
    auto const found = shared.find(key);
    if (found != shared.end()) return found->second.memory;
    return shared.emplace(key, shared_cells{bytes, alignment}).first->second.memory;
}

void barrier(place at) {
    auto& self = threads[current];
    self.at = at;
    self.now = state::at_barrier;
    self.stack->yield();
}

std::uint64_t warp_call(collective kind, unsigned mask, std::uint64_t value, unsigned source, place at) {
    unsigned const first = current / warpSize * warpSize, lane_bit = 1u << current % warpSize;
    auto& own = warps[current / warpSize];
    auto& call = arrive(own, kind, mask, source, at);
    auto& self = threads[current];
    self.at = at;
    self.now = state::in_warp_call;
    self.value = value;
    self.source = source;
    call.arrived |= lane_bit;
    if (value != 0) call.votes |= lane_bit;
    if (call.arrived == mask) {
        for (unsigned l = 0; l < warpSize; ++l) {
            if ((mask >> l & 1u) == 0) continue;
            auto& one = threads[first + l];
            one.result = kind == collective::ballot ? call.votes : threads[first + one.source].value;
            wake(first + l);
        }
        std::swap(call, own.calls.back());
        own.calls.pop_back();
    }
    self.stack->yield();
    return self.result;
}

unsigned lane() { return current % warpSize; }

}  // namespace cuda_on_cpu
