#pragma once
/// Points of straight lines, distances of rows and changes to them, as a backend makes them block by block.

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <plateau/backend/cpu/context.hpp>
#include <plateau/backend/row_edit.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::backend {

/// out_r = (1 − α_r) a_p + α_r b_p, p = pairs[r], formed in double and rounded once; α of 0 and 1 give a and b bit for
/// bit.
/// @param a,b  [P, D]      @param pairs  [R] in [0, P)      @param alphas  [R]      @param out  [R, D]      @throws
/// shape_error
/// @see paths/linear.hpp, which has the same bits
template <class T>
void linear_points(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> a,
                   std::type_identity_t<tensor::view<T const, 2>> b,
                   std::type_identity_t<tensor::view<index const, 1>> pairs,
                   std::type_identity_t<tensor::view<double const, 1>> alphas,
                   std::type_identity_t<tensor::view<T, 2>> out) {
    index const rows = out.extent(0), columns = out.extent(1);
    tensor::require_extents(a.extents(), {a.extent(0), columns}, "the starts of linear paths");
    tensor::require_extents(b.extents(), a.extents(), "the ends of linear paths");
    tensor::require_extents<1>(pairs.extents(), {rows}, "the pairs of points");
    tensor::require_extents<1>(alphas.extents(), {rows}, "the fractions of points");
    for (index r = 0; r < rows; ++r) {
        T const *const from = a[pairs[r]].data(), *const to = b[pairs[r]].data();
        T* const point = out[r].data();
        double const alpha = alphas[r];
        if (alpha == 0 || alpha == 1) {
            std::copy_n(alpha == 0 ? from : to, columns, point);
            continue;
        }
        for (index i = 0; i < columns; ++i) {
            point[i] = static_cast<T>((1 - alpha) * static_cast<double>(from[i]) + alpha * static_cast<double>(to[i]));
        }
    }
}

/// distances[r] = ‖x_r − y_q‖₂, q = references[r]; differences and sum in double, in a fixed order.
/// @param x  [R, D]      @param y  [Q, D]      @param references  [R] in [0, Q)      @param distances  [R]      @throws
/// shape_error
/// @see metrics/l2_distance.hpp, which has the same bits
template <class T>
void row_distances(cpu_context const&, std::type_identity_t<tensor::view<T const, 2>> x,
                   std::type_identity_t<tensor::view<T const, 2>> y,
                   std::type_identity_t<tensor::view<index const, 1>> references,
                   std::type_identity_t<tensor::view<double, 1>> distances) {
    index const rows = x.extent(0), columns = x.extent(1);
    tensor::require_extents(y.extents(), {y.extent(0), columns}, "the references of distances");
    tensor::require_extents<1>(references.extents(), {rows}, "which row is the reference");
    tensor::require_extents<1>(distances.extents(), {rows}, "the distances of rows");
    for (index r = 0; r < rows; ++r) {
        T const *const to = x[r].data(), *const from = y[references[r]].data();
        distances[r] = std::sqrt(tensor::lane_sum(static_cast<std::size_t>(columns), [&](std::size_t i) {
            double const difference = static_cast<double>(to[i]) - static_cast<double>(from[i]);
            return difference * difference;
        }));
    }
}

/// Changes parts of rows, [column, column + width) of a row each, as their kinds say. Edits of one call do not overlap.
/// @param values  of the edits, anywhere      @param x  [R, D]
template <class T>
void edit_rows(cpu_context const&, std::type_identity_t<tensor::view<T const, 1>> values,
               tensor::view<row_edit const, 1> edits, std::type_identity_t<tensor::view<T, 2>> x) {
    for (index e = 0; e < edits.extent(0); ++e) {
        auto const& one = edits[e];
        edit<T>(one.kind, {values.data() + one.values, static_cast<std::size_t>(values_of(one.kind, one.width))},
                {x[one.row].data() + one.column, static_cast<std::size_t>(one.width)});
    }
}

}  // namespace plateau::backend
