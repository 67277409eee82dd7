#pragma once
/// Changes to parts of rows, as a backend is told of them.

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>

#include <plateau/core/types.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::backend {

/// What becomes of a part x of a row, by the values v that go with it.
enum class edit_kind : std::uint8_t {
    replace,      ///< x ← v
    add,          ///< x ← x + v; in T, rounded once
    scale,        ///< x ← v₀ x, by the one value that there is; in T, rounded once
    project_out,  ///< x ← x − (x·v / v·v) v; in double, each value rounded once; NaN if v is zero or not finite
};

/// One part of a row, what becomes of it, and where its values are.
struct row_edit {
    index row, column, width;
    index values;  ///< the first of `width` values
    edit_kind kind;
};

/// How many values an edit of `width` has.
constexpr index values_of(edit_kind kind, index width) { return kind == edit_kind::scale ? 1 : width; }

/// Changes one part on the host; the sums of a projection are tensor::dot's. @param v  [values_of(kind, D)]      @param
/// x  [D]
template <class T>
void edit(edit_kind kind, std::type_identity_t<std::span<T const>> v, std::span<T> x) {
    auto const each = [&](auto const& changed) {
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = changed(i);
    };
    switch (kind) {
        case edit_kind::replace: std::copy_n(v.data(), x.size(), x.data()); return;
        case edit_kind::add: return each([&](std::size_t i) { return x[i] + v[i]; });
        case edit_kind::scale: return each([&](std::size_t i) { return v[0] * x[i]; });
        case edit_kind::project_out: {
            double const factor = tensor::dot(x, v) / tensor::dot(v, v);
            return each([&](std::size_t i) {
                return static_cast<T>(static_cast<double>(x[i]) - factor * static_cast<double>(v[i]));
            });
        }
    }
}

}  // namespace plateau::backend
