#pragma once
/// Rows of a backend as a hook is given them.

#include <plateau/backend/host_access.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/hooks/rows_at.hpp>

namespace plateau::nn {

/// The rows of a block at a site: `hooks::rows_at` over rows [R, A · B] of any backend.
template <class Context, class T>
class hooked_rows final : public hooks::rows_at<T> {
public:
    using rows_view = tensor::view<T, 2, typename Context::space>;

    /// @param copies  kept as a reference      @param x  [R, A · B]      @param heads  A
    hooked_rows(backend::host_copies<Context, T>& copies, hooks::site const& site, std::span<hooks::row_id const> ids,
                rows_view x, index heads)
        : hooks::rows_at<T>{site, ids, {heads, x.extent(1) / heads}}, copies_{copies}, x_{x}, on_host_{copies, x} {}

    tensor::view<T const, 3> read() override { return by_head(on_host_.read()); }
    tensor::view<T, 3> change() override { return by_head(on_host_.change()); }

    PLATEAU_INLINE void edit(std::span<backend::row_edit const> edits, std::span<T const> values) override {
        finish();
        auto const& ctx = copies_.context();
        auto const changes = backend::viewed_by(ctx, as_vector(edits));
        auto const from = backend::viewed_by(ctx, as_vector(values));
        backend::edit_rows<T>(ctx, from, changes, x_);
    }

    PLATEAU_INLINE void distances(std::span<index const> references, std::span<double> distances) override {
        if (this->at.axes == hooks::site_axes::keys) {
            throw site_error("rows of ", this->at.name(), " differ in width: read them");
        }
        finish();
        auto const& ctx = copies_.context();
        auto const which = backend::viewed_by(ctx, as_vector(references));
        tensor::view<double, 1> const result{distances.data(), {this->count()}};
        backend::fill_for_host(ctx, result, [&](auto found) { backend::row_distances<T>(ctx, x_, x_, which, found); });
    }

    PLATEAU_INLINE void sign_codes(tensor::view<std::uint64_t, 2> codes) override {
        finish();
        auto const& ctx = copies_.context();
        backend::fill_for_host(ctx, codes, [&](auto found) { backend::sign_codes<T>(ctx, x_, found); });
    }

    /// Takes over what a hook changed.
    void finish() { on_host_.finish(); }

private:
    tensor::view<T, 3> by_head(tensor::view<T, 2> flat) const {
        auto const [heads, width] = this->shape;
        return {flat.data(), {flat.extent(0), heads, width}, {flat.stride(0), width, 1}};
    }
    template <class V>
    static tensor::view<V const, 1> as_vector(std::span<V const> values) {
        return {values.data(), {static_cast<index>(values.size())}};
    }

    backend::host_copies<Context, T>& copies_;
    rows_view x_;
    backend::host_rows<Context, T> on_host_;
};

}  // namespace plateau::nn
