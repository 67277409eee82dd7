#pragma once
/// Points between the activations of a pair, as a sweep writes them.

#include <concepts>
#include <functional>
#include <utility>

#include <plateau/core/types.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::engine {

/// Writes point `point` of pair `pair` to `out`, given the clean activations at the write site that the pair's path
/// goes from and to: [positions, width] each. Called concurrently. One that writes (1 − t)·from + t·to may say so: then
/// points are made where the rows are.
template <class T>
class point_writer {
public:
    using rows = tensor::view<T, 2>;
    using const_rows = tensor::view<T const, 2>;

    /// @param line  t of a point on the straight line, if points are on it
    template <std::invocable<index, index, const_rows, const_rows, rows> F>
    point_writer(F write, std::function<double(index pair, index point)> line = {})
        : write_{std::move(write)}, line_{std::move(line)} {}

    void operator()(index pair, index point, const_rows from, const_rows to, rows out) const {
        write_(pair, point, from, to, out);
    }
    bool has_lines() const { return static_cast<bool>(line_); }
    /// @pre has_lines()
    double fraction(index pair, index point) const { return line_(pair, point); }

private:
    std::function<void(index, index, const_rows, const_rows, rows)> write_;
    std::function<double(index, index)> line_;
};

}  // namespace plateau::engine
