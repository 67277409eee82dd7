#pragma once
/// The rows of a block at a hook point, wherever they are.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include <plateau/backend/row_edit.hpp>
#include <plateau/core/error.hpp>
#include <plateau/hooks/site.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::hooks {

/// What a hook is given at a site: the rows [R, A, B], [R, 1, D] for a residual vector, [R, H, E] for queries,
/// [R, H, keys] for scores and patterns (entries beyond a row's own position are −inf and 0). Rows of a device stay
/// there; only what a hook asks for travels. Lives until the hook returns.
template <class T>
class rows_at {
public:
    site const& at;
    std::span<row_id const> rows;      ///< [R], what each row is
    std::array<index, 2> const shape;  ///< [A, B] of a row

    rows_at(rows_at const&) = delete;
    rows_at& operator=(rows_at const&) = delete;

    index count() const { return static_cast<index>(rows.size()); }

    /// The values on the host: of a device a copy.
    virtual tensor::view<T const, 3> read() = 0;

    /// The values on the host, to be changed in place; of a device a copy that goes back when the hook returns.
    /// @pre the hook is not one that only reads
    virtual tensor::view<T, 3> change() = 0;

    /// Changes parts of rows where the rows are. Edits of one call do not overlap; columns count over all of a row, A ·
    /// B.
    /// @param values  of the edits, each from a place of its own or shared
    virtual void edit(std::span<backend::row_edit const> edits, std::span<T const> values) = 0;

    /// distances[r] = ‖x_r − x_q‖₂, q = references[r], where the rows are: differences and sum in double.
    /// @param references  [R] in [0, R)      @param distances  [R]      @throws site_error for scores and patterns,
    /// whose
    ///                    rows differ in width
    virtual void distances(std::span<index const> references, std::span<double> distances) = 0;

    /// Signs of all A · B values of each row, formed where the rows are. @param codes  [R, ⌈A · B / 64⌉]
    /// @see backend::sign_codes
    virtual void sign_codes(tensor::view<std::uint64_t, 2> codes) = 0;

protected:
    rows_at(site const& where, std::span<row_id const> which, std::array<index, 2> of_row)
        : at{where}, rows{which}, shape{of_row} {}
    ~rows_at() = default;
};

}  // namespace plateau::hooks
