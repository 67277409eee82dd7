#pragma once
/// Points of straight lines made where the rows are: only the fractions go there.

#include <algorithm>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/hooks/site.hpp>

namespace plateau::sweep {

/// The ends of the lines of some pairs, in the memory of a device.
template <class Context, class T>
class straight_rows {
public:
    using rows_view = tensor::view<T, 2, typename Context::space>;

    /// True if a backend makes points itself.
    static constexpr bool possible = std::is_same_v<Context, backend::cuda_context>;

    straight_rows() = default;

    /// @param ends  called as ends(pair, from, to) with two rows [D] to fill, for the pairs [first, end)
    template <class Ends>
    straight_rows(Context const& ctx, index first, index end, index width, Ends const& ends) : first_{first} {
        tensor::buffer<T, 2> from({end - first, width}), to({end - first, width});
        for (index pair = first; pair < end; ++pair) ends(pair, from[pair - first].flat(), to[pair - first].flat());
        from_ = backend::moved_to(ctx, std::move(from));
        to_ = backend::moved_to(ctx, std::move(to));
    }

    /// True if there are lines.
    explicit operator bool() const { return from_.size() > 0; }

    /// rows_r = (1 − t_r) from + t_r to of its pair. @param fraction  called as fraction(row_id)      @param rows  [R,
    /// D]
    template <class Fraction>
    void write(Context const& ctx, std::span<hooks::row_id const> ids, Fraction const& fraction, rows_view rows) const {
        if constexpr (possible) {
            std::vector<index> pairs;
            std::vector<double> fractions;
            for (auto const& id : ids) {
                pairs.push_back(id.item - first_);
                fractions.push_back(fraction(id));
            }
            auto const count = static_cast<index>(ids.size());
            auto const which = to_device(ctx, tensor::view<index const, 1>{pairs.data(), {count}});
            auto const where = to_device(ctx, tensor::view<double const, 1>{fractions.data(), {count}});
            linear_points<T>(ctx, from_, to_, which.view(), where.view(), rows);
        }
    }

private:
    index first_ = 0;
    typename Context::template buffer<T, 2> from_, to_;
};

}  // namespace plateau::sweep
