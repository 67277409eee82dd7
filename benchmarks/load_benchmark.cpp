// Loading a checkpoint, against reading its bytes once and writing as many as the packed weights take.
// PLATEAU_MODEL names the checkpoint, a GGUF file or a Hugging Face folder; the model in examples/data is the default.
// Argument: threads. Every iteration loads and probes once, in fresh memory, with the file in the page cache if it
// fits; counters are medians over the iterations:
//     load_s, probe_s   seconds
//     ratio             load_s / probe_s, of one iteration
//     anonymous         the most anonymous memory (RssAnon of /proc/self/status, looked at every millisecond of one
//     load
//                       more, which is not timed) over the bytes of the packed weights
//     packed_MB         the bytes of the packed weights

#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <malloc.h>

#include <plateau/engine/load.hpp>
#include <plateau/io/mapped_file.hpp>

#include "probe.hpp"

namespace baked {
extern char const* const embedded_model;  ///< a folder; the build says where
}

namespace {

using plateau::index;
using plateau::benchmarks::seconds;
using context = plateau::backend::cpu_context;
using transformer = plateau::models::transformer<context, float>;
using model = plateau::model<float>;

std::filesystem::path checkpoint() {
    char const* const chosen = std::getenv("PLATEAU_MODEL");
    return chosen != nullptr ? chosen : baked::embedded_model;
}

std::vector<std::filesystem::path> weight_files(std::filesystem::path const& path) {
    if (!std::filesystem::is_directory(path)) return {path};
    std::vector<std::filesystem::path> files;
    for (auto const& entry : std::filesystem::directory_iterator(path)) {
        if (entry.path().extension() == ".safetensors") files.push_back(entry.path());
    }
    return files;
}

double packed_bytes(model const& loaded) {
    using engine = plateau::engine::engine_on<context, float, transformer>;
    auto const& m = dynamic_cast<engine const&>(loaded.engine()).model();
    double bytes = 0;
    auto const add = [&](auto const& weight) {
        index const inputs = weight.is_bf16() ? (weight.inputs() + 1) / 2 : weight.inputs();
        bytes += static_cast<double>(weight.panels() * plateau::backend::panel_columns * inputs) * sizeof(float);
    };
    add(*m.embedding);
    if (m.unembedding != m.embedding) add(*m.unembedding);
    if (m.positions) add(*m.positions);
    for (auto const& block : m.blocks) {
        auto const& a = block.attention.part;
        auto const& f = block.mlp.part;
        for (auto const* linear : {&a.query, &a.key, &a.value, &a.output, &f.in, &f.out}) add(linear->weight);
        if (f.gated) add(f.gate.weight);
    }
    return bytes;
}

/// Reads every byte of the files and writes `bytes` bytes, a share of both at a time.
std::unique_ptr<unsigned char[]> probe(int threads, std::vector<std::filesystem::path> const& files,
                                       std::size_t bytes) {
    constexpr std::size_t share = 1 << 16;
    std::unique_ptr<unsigned char[]> memory{new unsigned char[bytes]};
    std::atomic<std::uint64_t> sink{0};
    std::vector<plateau::io::mapped_file> maps;
    std::size_t total = 0;
    for (auto const& file : files) total += maps.emplace_back(file).bytes().size();
    auto const shares = static_cast<index>(std::max<std::size_t>(1, bytes / share));
    std::size_t first = 0;
    for (auto const& map : maps) {  // in proportion to its size
        auto const begin =
            static_cast<index>(static_cast<double>(shares) * static_cast<double>(first) / static_cast<double>(total));
        first += map.bytes().size();
        auto const end =
            static_cast<index>(static_cast<double>(shares) * static_cast<double>(first) / static_cast<double>(total));
        plateau::parallel_for(threads, end - begin, [&](index i, int) {
            auto const part = [&](std::size_t whole, index item, index items) {
                return static_cast<std::size_t>(static_cast<double>(whole) * static_cast<double>(item) /
                                                static_cast<double>(items));
            };
            std::size_t const from = part(map.bytes().size(), i, end - begin) / 64 * 64;
            std::size_t const to = part(map.bytes().size(), i + 1, end - begin) / 64 * 64;
            std::uint64_t sums[8] = {};
            for (std::size_t at = from; at < to; at += 64) {
                std::uint64_t words[8];
                std::memcpy(words, map.bytes().data() + at, 64);
                for (int k = 0; k < 8; ++k) sums[k] += words[k];
            }
            for (std::uint64_t sum : sums) sink += sum;
            std::size_t const write = part(bytes, begin + i, shares), write_end = part(bytes, begin + i + 1, shares);
            std::memset(memory.get() + write, static_cast<int>(sums[0] & 0xFF), write_end - write);
        });
    }
    benchmark::DoNotOptimize(sink.load());
    return memory;
}

double anonymous_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        double kilobytes = 0;
        if (word == "RssAnon:" && status >> kilobytes) return kilobytes * 1024;
    }
    return 0;
}

/// The most anonymous memory while `call` ran, beyond what was there before.
template <class F>
double peak_anonymous_bytes(F&& call) {
    ::malloc_trim(0);
    double const before = anonymous_bytes();
    std::atomic<bool> done{false};
    double most = before;
    std::thread watcher{[&] {
        while (!done) {
            most = std::max(most, anonymous_bytes());
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }};
    call();
    done = true;
    watcher.join();
    return std::max(most, anonymous_bytes()) - before;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

void load(benchmark::State& state, plateau::dtype storage) {
    auto const threads = static_cast<int>(state.range(0));
    auto const path = checkpoint();
    auto const files = weight_files(path);
    auto const make = [&] {
        return plateau::load<float>(path, {.backend = {.threads = threads}, .bf16 = storage == plateau::dtype::bf16});
    };
    double packed = 0;
    double const anonymous = peak_anonymous_bytes([&] { packed = packed_bytes(make()); });
    std::vector<double> loads, probes, ratios;
    for (auto _ : state) {
        {
            ::malloc_trim(0);
            std::unique_ptr<unsigned char[]> written;  // given back outside of the time
            probes.push_back(seconds([&] { written = probe(threads, files, static_cast<std::size_t>(packed)); }));
            benchmark::DoNotOptimize(written.get());
        }
        {
            ::malloc_trim(0);
            std::unique_ptr<model> loaded;
            loads.push_back(seconds([&] { loaded = std::make_unique<model>(make()); }));
        }
        ratios.push_back(loads.back() / probes.back());
        state.SetIterationTime(loads.back());
    }
    state.counters["load_s"] = median(loads);
    state.counters["probe_s"] = median(probes);
    state.counters["ratio"] = median(ratios);
    state.counters["anonymous"] = anonymous / packed;
    state.counters["packed_MB"] = packed / 1e6;
}

void numbers_of_threads(benchmark::internal::Benchmark* b) {
    b->Arg(1);
    if (plateau::resolve_threads(0) > 1) b->Arg(plateau::resolve_threads(0));
    b->ArgName("threads")->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(2);
}

BENCHMARK_CAPTURE(load, fp32, plateau::dtype::f32)->Apply(numbers_of_threads);
BENCHMARK_CAPTURE(load, bf16, plateau::dtype::bf16)->Apply(numbers_of_threads);

/// Blocks of 128 kB and more go back to the system when they are freed: without this the allocator keeps those of one
/// iteration, and the next one writes to memory that is there already.
[[maybe_unused]] int const fresh_memory = ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);

}  // namespace
