#pragma once
/// Layers with random weights, blocks of rows to run through them, and a record of what hooks saw.

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <plateau/nn/linear.hpp>
#include <plateau/nn/pass.hpp>

#include "support/random.hpp"

namespace plateau::testing {

using context = backend::cpu_context;

inline context const one_thread{1};

template <class T>
nn::linear<context, T> random_linear(index outputs, index inputs, bool bias, std::uint64_t seed) {
    nn::linear<context, T> layer{backend::linear_weight<T>{
        random_buffer<T, 2>({outputs, inputs}, seed, 1 / std::sqrt(static_cast<double>(inputs)))}};
    if (bias) layer.bias = random_buffer<T, 1>({outputs}, seed + 500);
    return layer;
}

/// Adds a sequence to a block of rows: positions [start, start + count) of `item`, whose prompt ends there.
inline void add_positions(nn::rows& rows, index start, index count, index item = 0,
                          nn::kept_keys const* prefix = nullptr, nn::kept_keys* record = nullptr) {
    std::vector<token_id> const tokens(static_cast<std::size_t>(count));
    rows.add(nn::rows::prompt_row(item, start, start + count), tokens, prefix, record);
}

/// Rows of one sequence.
inline nn::rows positions(index start, index count, index item = 0, nn::kept_keys const* prefix = nullptr,
                          nn::kept_keys* record = nullptr) {
    nn::rows rows;
    add_positions(rows, start, count, item, prefix, record);
    return rows;
}

/// A copy of the first `rows` rows.
template <class T>
tensor::buffer<T, 2> copy_of(tensor::view<T const, 2> from, index rows) {
    tensor::buffer<T, 2> copy({rows, from.extent(1)});
    for (index r = 0; r < rows; ++r) std::copy_n(from[r].data(), from.extent(1), copy[r].data());
    return copy;
}

/// What the hooks of one pass saw: the rows of every site by its name, and the names in the order of their firing.
template <class T>
struct record {
    std::map<std::string, tensor::buffer<T, 3>> seen;
    std::vector<std::string> order;

    hooks::hook_set<T> watch(std::string const& pattern) {
        return hooks::capture<T>(pattern,
                                 [this](hooks::site const& at, hooks::where const&, tensor::view<T const, 3> rows) {
            order.push_back(at.name());
            tensor::buffer<T, 3> copy(rows.extents());
            for (index r = 0; r < rows.extent(0); ++r) {
                for (index a = 0; a < rows.extent(1); ++a)
                    std::copy_n(rows[r][a].data(), rows.extent(2), copy[r][a].data());
            }
            seen.insert_or_assign(at.name(), std::move(copy));
        });
    }

    /// The rows of a site, by the end of its name.
    tensor::buffer<T, 3> const& at(std::string const& ending) const {
        for (auto const& [name, rows] : seen) {
            if (name.size() >= ending.size() && name.substr(name.size() - ending.size()) == ending) return rows;
        }
        throw site_error("the test saw no " + ending);
    }
};

/// Overwrites the rows of every site that matches with those that `from` saw there.
template <class T>
hooks::hook_set<T> replay(std::string const& pattern, record<T> const& from) {
    return hooks::patch<T>(pattern, [&from](hooks::site const& at, hooks::where const&, tensor::view<T, 3> rows) {
        auto const& old = from.seen.at(at.name());
        for (index r = 0; r < rows.extent(0); ++r) {
            for (index a = 0; a < rows.extent(1); ++a) std::copy_n(old[r][a].data(), rows.extent(2), rows[r][a].data());
        }
    });
}

template <class T>
hooks::hook_set<T> multiply(std::string const& pattern, T factor) {
    return hooks::patch<T>(pattern, [factor](hooks::site const&, hooks::where const&, tensor::view<T, 3> rows) {
        for (index r = 0; r < rows.extent(0); ++r) {
            for (index a = 0; a < rows.extent(1); ++a) {
                for (T& value : rows[r][a].flat()) value *= factor;
            }
        }
    });
}

/// Runs `body(pass)` over rows whose residual stream is x [R, D], with hooks. Every hook must fire.
template <class T, class Body>
void run_rows(tensor::view<T const, 2> x, nn::rows const& rows, hooks::hook_set<T> const& set,
              std::vector<hooks::site> const& sites, Body&& body) {
    hooks::plan<T> const plan{set, sites};
    nn::pass<context, T> pass{one_thread};
    pass.begin(rows, &plan);
    auto const residual = pass.residual(x.extent(1));
    for (index r = 0; r < x.extent(0); ++r) std::copy_n(x[r].data(), x.extent(1), residual[r].data());
    body(pass);
    plan.require_all_fired("the test expected it to");
}

}  // namespace plateau::testing
