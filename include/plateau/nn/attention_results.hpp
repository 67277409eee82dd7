#pragma once
/// Single heads' additions to the residual stream, where somebody wants to see or change them.

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

/// Shows z_h W_h of every head h, and adds to the output what hooks changed of it: nothing, bit for bit, if they only
/// look.
/// @param z  [R, H · E]      @param out  [R, D], z Wᵒᵀ (+ bᵒ)
template <class Context, class T>
void show_results(layer_rows<Context, T> l, backend::attention_shape<T> const& shape, linear<Context, T> const& output,
                  typename pass<Context, T>::rows_view z, typename pass<Context, T>::rows_view out) {
    using rows_view = typename pass<Context, T>::rows_view;
    auto const& ctx = l.context();
    index const d = out.extent(1), rows = out.extent(0);
    auto const results = l.matrix(results_buffer, shape.heads * d), before = l.matrix(copies_buffer, shape.heads * d);
    // the product of z with all heads but h set to 0
    auto const alone = l.matrix(one_head_buffer, z.extent(1));
    for (index h = 0; h < shape.heads; ++h) {
        backend::clear<T>(ctx, alone);
        copy_head<Context, T>(ctx, z, h, shape.width, alone);
        backend::linear<T>(ctx, alone, output.weight,
                           rows_view{results.data() + h * d, {rows, d}, {results.stride(0), 1}});
    }
    backend::copy<T>(ctx, results, before);
    l.hook(hooks::site_id::result, results, shape.heads);
    // out += Σ_h (what is there now − what was there)
    backend::host_rows<Context, T> shown{l.pass.copies(), results}, then{l.pass.copies(), before};
    auto const now = shown.read(), old = then.read();
    backend::host_rows<Context, T> whole{l.pass.copies(), out};
    auto const sum = whole.change();
    for (index r = 0; r < rows; ++r) {
        for (index i = 0; i < shape.heads * d; ++i) {
            if (now(r, i) != old(r, i)) sum(r, i % d) += now(r, i) - old(r, i);
        }
    }
    whole.finish();
}

}  // namespace plateau::nn
