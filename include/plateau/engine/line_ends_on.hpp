#pragma once
/// Straight lines in the memory of a backend, and points made of them there.

#include <array>
#include <utility>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/engine/block_run.hpp>

namespace plateau::engine {

/// Starts and ends of lines in the memory of a backend: only fractions go there with each block.
template <class Context, class T>
class line_ends_on final : public line_ends {
public:
    line_ends_on(Context const& ctx, tensor::buffer<T, 2> from, tensor::buffer<T, 2> to)
        : from_{backend::owned_by(ctx, std::move(from))}, to_{backend::owned_by(ctx, std::move(to))} {}

    /// rows_r = (1 − t_r) from + t_r to of its line. @param lines,fractions  [n]      @param rows  [n, D]
    void write(Context const& ctx, std::vector<index> const& lines, std::vector<double> const& fractions,
               tensor::view<T, 2, typename Context::space> rows) const {
        std::array const count{static_cast<index>(lines.size())};
        auto const which = backend::viewed_by(ctx, tensor::view<index const, 1>{lines.data(), count});
        auto const where = backend::viewed_by(ctx, tensor::view<double const, 1>{fractions.data(), count});
        backend::linear_points<T>(ctx, from_, to_, which, where, rows);
    }

private:
    typename Context::template buffer<T, 2> from_, to_;
};

}  // namespace plateau::engine
