#pragma once
/// Lines on a model whose layers take turns in memory: how long a wave of rows takes, and what was read.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/memory.hpp>
#include <plateau/core/progress.hpp>
#include <plateau/core/stopwatch.hpp>
#include <plateau/engine/engine.hpp>

namespace plateau::engine {

/// Rows of a sweep that leave no thread idle, and where layers take turns fill a wave of them.
template <class T>
index wave_rows(engine<T> const& model) {
    auto const* const turns = model.facts().turns;
    constexpr index enough = 64;
    return turns == nullptr ? enough * model.threads() : turns->limits().blocks * model.facts().block_rows;
}

/// What a full wave takes, from a probe: one layer that is read, and one block of rows that goes through it. Empty
/// where all weights are in memory. It is told before the work begins.
template <class T>
std::string wave_text(engine<T> const& model) {
    auto const* const turns = model.facts().turns;
    if (turns == nullptr) return "";
    auto const& limits = turns->limits();
    nn::rows rows;
    index const together = std::min(index{32}, model.facts().context_length);
    std::vector<token_id> const tokens(static_cast<std::size_t>(together), 0);
    while (rows.count() + together <= model.facts().block_rows) rows.add_prompt(0, tokens);
    block_run<T> run{.rows = rows, .last = 1};
    run.start.write = [](tensor::view<T, 2> to) {
        for (index r = 0; r < to.extent(0); ++r) {
            for (index i = 0; i < to.extent(1); ++i) to(r, i) = static_cast<T>((r + 7 * i) % 5 - 2);
        }
    };
    auto const runner = model.runner();
    stopwatch const first;
    runner->run(run);
    double const both = first.seconds();
    auto const read = static_cast<double>(turns->bytes_brought());
    stopwatch const second;
    runner->run(run);
    double const block = second.seconds();
    double const reading = static_cast<double>(limits.wave_bytes) / read * std::max(both - block, 0.0);
    double const computing = block * limits.blocks * model.layers() / limits.threads;
    return concat({"memory: such a wave, ", limits.blocks * model.facts().block_rows, " rows, takes about ",
                   format_duration(reading), " to read and ", format_duration(computing),
                   " to compute with, much of it at the same time; of fewer rows, as long to read\n"});
}

/// How often the weights are read for so many points, at least.
template <class T>
std::string waves_text(engine<T> const& model, index points) {
    auto const* const turns = model.facts().turns;
    if (turns == nullptr) return "";
    index const rows = turns->limits().blocks * model.facts().block_rows, waves = (points + rows - 1) / rows;
    return concat({"memory: ", points, " points and their prompts are at least ", waves,
                   waves == 1 ? " wave" : " waves", ", with ", memory_text(turns->limits().wave_bytes * waves),
                   " to read\n"});
}

/// What was read of the weights, once all is done.
template <class T>
std::string turns_text(engine<T> const& model) {
    auto const* const turns = model.facts().turns;
    if (turns == nullptr) return "";
    index const read = turns->bytes_brought(), percent = read * 100 / turns->all_bytes();
    return concat({"memory: ", memory_text(read), " of weights were read, ", percent / 100, ".", percent / 10 % 10,
                   percent % 10, " times all of them\n"});
}

}  // namespace plateau::engine
