#pragma once
/// Where rows on the device come from, what is read from them and what is changed: embedding, points of paths,
/// distances, edits.

#include <type_traits>

#include <plateau/backend/cuda/context.hpp>
#include <plateau/backend/cuda/device_space.hpp>
#include <plateau/backend/row_edit.hpp>

namespace plateau::backend {

/// out_r = table[ids[r]]; a row of NaN where the table has no such row.
/// @param table  [V, D]      @param ids  [R]      @param out  [R, D]      @throws shape_error on extents that do not
/// fit
template <DeviceElement T>
void gather_rows(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> table,
                 device_view<index const, 1> ids, device_view<T, 2> out);

/// out_r = (1 − α_r) a_p + α_r b_p, p = pairs[r], formed in double and rounded once; α of 0 and 1 give a and b bit for
/// bit. Points are made where they are needed: only α goes to the device.
/// @param a,b  [P, D]      @param pairs  [R] in [0, P)      @param alphas  [R]      @param out  [R, D]      @throws
/// shape_error
/// @see paths/linear.hpp
template <DeviceElement T>
void linear_points(cuda_context const& ctx, std::type_identity_t<device_view<T const, 2>> a,
                   std::type_identity_t<device_view<T const, 2>> b, device_view<index const, 1> pairs,
                   device_view<double const, 1> alphas, device_view<T, 2> out);

/// distances[r] = ‖x_r − y_q‖₂, q = references[r]; differences and sum in double, in an order that depends on D alone.
/// @param x  [R, D]      @param y  [Q, D]      @param references  [R] in [0, Q)      @param distances  [R]      @throws
/// shape_error
/// @see metrics/l2_distance.hpp
template <DeviceElement T>
void row_distances(cuda_context const& ctx, device_view<T const, 2> x, std::type_identity_t<device_view<T const, 2>> y,
                   device_view<index const, 1> references, device_view<double, 1> distances);

/// Changes parts of rows, [column, column + width) of a row each, as their kinds say. Edits of one call do not overlap.
/// The sums of a projection, of x·v and v·v: for each of 32 lanes, of every 32nd 16 bytes of the part, then of pairs of
/// lanes; a part has the same bits wherever it is, and differs from the CPU's by the error of these sums, a few D 2⁻⁵³
/// Σ|x v| |vᵢ| / v·v, and a rounding to T.
/// @param values  of the edits, anywhere; fastest from multiples of 16 bytes      @param x  [R, D]
template <DeviceElement T>
void edit_rows(cuda_context const& ctx, std::type_identity_t<device_view<T const, 1>> values,
               device_view<row_edit const, 1> edits, device_view<T, 2> x);

}  // namespace plateau::backend
