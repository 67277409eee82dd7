#pragma once
/// Attention with prefixes and sequences, for the tests of it in one go and in steps.

#include <vector>

#include <plateau/backend/cuda/attention.hpp>

#include "backend/cuda/on_device.hpp"

namespace plateau::testing {

/// Rows of a block that follow each other in one sequence, after the first `prefix` rows of prefix `which`.
struct part {
    index first_row, rows, prefix;
    std::size_t which = 0;
};

template <class T>
struct problem {
    backend::attention_shape<T> shape;
    tensor::buffer<T, 2> q, keys, values;
    std::vector<tensor::buffer<T, 2>> prefix_keys, prefix_values;
};

template <class T>
problem<T> random_problem(index rows, index heads, index kv_heads, index width, std::uint64_t seed, index prefix = 0) {
    problem<T> p{{heads, kv_heads, width, static_cast<T>(1 / std::sqrt(static_cast<double>(width)))},
                 random_buffer<T, 2>({rows, heads * width}, seed),
                 random_buffer<T, 2>({rows, kv_heads * width}, seed + 1000),
                 random_buffer<T, 2>({rows, kv_heads * width}, seed + 2000),
                 {},
                 {}};
    for (std::uint64_t i = 0; i < 2; ++i) {
        p.prefix_keys.push_back(random_buffer<T, 2>({prefix, kv_heads * width}, seed + 3000 + i));
        p.prefix_values.push_back(random_buffer<T, 2>({prefix, kv_heads * width}, seed + 4000 + i));
    }
    return p;
}

/// The problem's matrices on the device, with gaps between their rows.
template <class T>
struct device_problem {
    device_rows<T> q, keys, values;
    std::vector<device_rows<T>> prefix_keys, prefix_values;
    std::vector<backend::segment<T, backend::device_space>> segments;

    device_problem(backend::cuda_context const& ctx, problem<T> const& p, std::vector<part> const& parts, index gap)
        : q{ctx, p.q, gap}, keys{ctx, p.keys, gap}, values{ctx, p.values, gap} {
        for (auto const& rows : p.prefix_keys) prefix_keys.emplace_back(ctx, rows, gap);
        for (auto const& rows : p.prefix_values) prefix_values.emplace_back(ctx, rows, gap);
        for (auto const& one : parts) {
            segments.push_back({one.first_row, one.rows, prefix_keys[one.which].view().rows(0, one.prefix),
                                prefix_values[one.which].view().rows(0, one.prefix)});
        }
    }
};

template <class T>
std::vector<backend::segment<T>> host_segments(problem<T> const& p, std::vector<part> const& parts) {
    std::vector<backend::segment<T>> segments;
    for (auto const& one : parts) {
        segments.push_back({one.first_row, one.rows, p.prefix_keys[one.which].view().rows(0, one.prefix),
                            p.prefix_values[one.which].view().rows(0, one.prefix)});
    }
    return segments;
}

template <class T>
tensor::buffer<T, 2> on_host(problem<T> const& p, std::vector<part> const& parts) {
    tensor::buffer<T, 2> z(p.q.extents());
    backend::prefix_attention<T>(on_cpu, p.shape, p.q, p.keys, p.values, host_segments(p, parts), z.view());
    return z;
}

template <class T>
problem<double> widened(problem<T> const& p) {
    auto const& s = p.shape;
    problem<double> wide{
        {s.heads, s.kv_heads, s.width, static_cast<double>(s.scale), static_cast<double>(s.cap), s.window},
        in_double(p.q),
        in_double(p.keys),
        in_double(p.values),
        {},
        {}};
    for (auto const& rows : p.prefix_keys) wide.prefix_keys.push_back(in_double(rows));
    for (auto const& rows : p.prefix_values) wide.prefix_values.push_back(in_double(rows));
    return wide;
}

/// Rows of single positions after two prefixes, rows of a sequence, rows without a prefix.
inline std::vector<part> mixed_parts(index prefix) {
    std::vector<part> parts{{0, 2, prefix, 1}};
    for (index r = 2; r < 20; ++r) parts.push_back({r, 1, prefix, 0});
    for (index r = 20; r < 23; ++r) parts.push_back({r, 1, prefix, 1});
    parts.push_back({23, 6, 0, 0});
    parts.push_back({29, 1, 0, 0});
    return parts;
}

}  // namespace plateau::testing
