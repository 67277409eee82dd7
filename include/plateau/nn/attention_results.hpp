#pragma once
/// Single heads' additions to the residual stream, where somebody wants to see or change them.

#include <algorithm>

#include <plateau/core/macros.hpp>
#include <plateau/nn/duals.hpp>
#include <plateau/nn/linear.hpp>
#include <plateau/nn/split_inputs.hpp>

namespace plateau::nn {

inline constexpr work_buffer results_buffer{"results"};  ///< [R, H · D]

/// to[:, 0..E) of head h = from's. @param from,to  [R, H · E]
template <class Context, class T, class Rows>
void copy_head(Context const& ctx, Rows from, index h, index width, Rows to) {
    auto const head = [&](Rows x) { return Rows{x.data() + h * width, {x.extent(0), width}, {x.stride(0), 1}}; };
    backend::copy<T>(ctx, head(from), head(to));
}

/// z_h W_h of every head h, to be shown, and what hooks then changed of it; or the same of tangents.
template <class Context, class T>
class head_results {
public:
    using rows_view = typename pass<Context, T>::rows_view;

    /// @param z  [R, H · E]
    PLATEAU_INLINE head_results(layer_rows<Context, T> l, backend::attention_shape<T> const& shape,
                                linear<Context, T> const& output, rows_view z)
        : l_{l}, width_{output.weight.outputs()}, results_{l.matrix(results_buffer, shape.heads * width_)},
          before_{l.matrix(copies_buffer, shape.heads * width_)} {
        // the product of z with all heads but h set to 0
        auto const alone = l.matrix(one_head_buffer, z.extent(1));
        for (index h = 0; h < shape.heads; ++h) {
            backend::clear<T>(l.context(), alone);
            copy_head<Context, T>(l.context(), z, h, shape.width, alone);
            backend::linear<T>(l.context(), alone, output.weight,
                               rows_view{results_.data() + h * width_, {z.extent(0), width_}, {results_.stride(0), 1}});
        }
        backend::copy<T>(l.context(), results_, before_);
    }

    rows_view results() const { return results_; }  ///< [R, H · D]

    /// Adds to the output what hooks changed: nothing, bit for bit, if they only looked. @param out  [R, D]
    /// @param afresh  rows with changes become the sum of their results instead: for tangents, which have no bias
    void add_changes(rows_view out, bool afresh) const {
        backend::host_rows<Context, T> shown{l_.pass.copies(), results_}, then{l_.pass.copies(), before_};
        auto const now = shown.read(), old = then.read();
        backend::host_rows<Context, T> whole{l_.pass.copies(), out};
        auto const sum = whole.change();
        for (index r = 0; r < sum.extent(0); ++r) {
            bool const anew = afresh && !std::equal(now[r].data(), now[r].data() + now.extent(1), old[r].data());
            if (anew) std::fill_n(sum[r].data(), width_, T{0});
            for (index i = 0; i < now.extent(1); ++i) {
                if (anew) sum(r, i % width_) += now(r, i);
                else if (now(r, i) != old(r, i)) sum(r, i % width_) += now(r, i) - old(r, i);
            }
        }
        whole.finish();
    }

private:
    layer_rows<Context, T> l_;
    index width_;
    rows_view results_, before_;
};

/// gz of z, of whose heads' results, all added to the output, g is.
/// @param g  [t, D]      @param gz  [t, H · E]
template <class Context, class T>
void result_cotangents(layer_duals<Context, T> l, backend::attention_shape<T> const& shape,
                       linear<Context, T> const& output, typename pass<Context, T>::rows_view g,
                       typename pass<Context, T>::rows_view gz) {
    using rows_view = typename pass<Context, T>::rows_view;
    auto const& ctx = l.context();
    index const d = g.extent(1);
    auto const results = l.tangent.matrix(results_buffer, shape.heads * d);
    auto const of_head = [&](index h) {
        return rows_view{results.data() + h * d, {g.extent(0), d}, {results.stride(0), 1}};
    };
    for (index h = 0; h < shape.heads; ++h) backend::copy<T>(ctx, g, of_head(h));
    l.hook_cotangents(hooks::site_id::result, results, shape.heads);
    auto const whole = l.tangent.matrix(one_head_buffer, gz.extent(1));
    for (index h = 0; h < shape.heads; ++h) {
        output.vjp(ctx, *l.transposes, of_head(h), whole);
        copy_head<Context, T>(ctx, whole, h, shape.width, gz);
    }
}

}  // namespace plateau::nn
