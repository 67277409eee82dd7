#pragma once
/// Tangents and cotangents of the divisors of norms, where somebody looks at them or sets them.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <plateau/backend/host_access.hpp>
#include <plateau/nn/duals.hpp>

namespace plateau::nn {

/// [R, 2 heads]: the divisors of the norm whose hook point is `scale`, and these as hooks left them, kept for tangents.
inline work_buffer const& kept_divisors(hooks::site_id scale) {
    static constexpr std::array<work_buffer, hooks::site_count> all{};
    return all[static_cast<std::size_t>(scale)];
}

/// Keeps them. @param divisors  [R, heads]      @param after  hooks
template <class Context, class T>
void keep_divisors(layer_rows<Context, T> l, hooks::site_id scale, typename pass<Context, T>::rows_view divisors,
                   bool after) {
    if (!l.pass.has_tangents()) return;
    index const heads = divisors.extent(1);
    auto const all = l.matrix(kept_divisors(scale), 2 * heads);
    backend::copy<T>(l.context(), divisors,
                     typename pass<Context, T>::rows_view{
                         all.data() + (after ? heads : 0), {all.extent(0), heads}, {all.stride(0), 1}});
}

inline constexpr work_buffer divisor_buffer{"divisors of tangents"};  ///< [t, heads]

/// Corrects the rows of tangents, or of cotangents, whose divisors hooks have changed. With x̂ = x / s, all centred for
/// a LayerNorm, the divisor that computed s and the divisor in use s':
///     ṡ = ⟨x̂, ẋ⟩ / D,     ẏ = (ẋ − x ṡ' / s') · w / s'
///     gs' = −⟨x, g⟩ / s'²,  gx = g / s' + gs x̂ / D
template <class Context, class T>
class divisor_tangents {
public:
    using duals = layer_duals<Context, T>;
    using rows_view = typename duals::rows_view;

    /// @param x  [R, heads · D], what the norm reads
    divisor_tangents(duals const& l, hooks::site_id at, norm_kind kind, double epsilon, rows_view x, index heads)
        : l_{l}, at_{at}, centred_{kind == norm_kind::layer}, epsilon_{epsilon}, x_{x}, heads_{heads} {}

    /// True if somebody looks at divisors, or sets them: then, and not for what is held alone, this is called.
    static bool wanted(duals const& l, hooks::site_id at) { return l.value.wanted(at) || l.tangent.wanted(at); }

    /// @param weight  [D] on the host, or empty      @param dx,dy  [t, heads · D]: dy for divisors that nobody changed
    void tangents(tensor::view<T const, 1> weight, rows_view dx, rows_view dy) const {
        each_row(dx, dy, true, [&](row_of const& r, double moved, T const* from, T* to) {
            double const mean = centred_ ? mean_of(from, r.width) : 0;
            for (index i = 0; i < r.width; ++i) {
                double const gain = weight.size() > 0 ? static_cast<double>(weight[i]) : 1;
                to[i] = static_cast<T>((static_cast<double>(from[i]) - mean - r.centred(i) / r.used * moved) / r.used *
                                       gain);
            }
        });
    }

    /// @param g,gx  [t, heads · D]: gx for divisors that nobody changed
    void cotangents(rows_view g, rows_view gx) const {
        each_row(g, gx, false, [&](row_of const& r, double moved, T const* from, T* to) {
            double const mean = centred_ ? mean_of(from, r.width) / r.used : 0;
            double const along = moved / (r.own * static_cast<double>(r.width));
            for (index i = 0; i < r.width; ++i)
                to[i] = static_cast<T>(static_cast<double>(from[i]) / r.used - mean + r.centred(i) * along);
        });
    }

private:
    /// A head of a row of values.
    struct row_of {
        T const* x;
        index width;
        double mean;  ///< 0 unless the norm centres
        double own;   ///< s
        double used;  ///< s'

        double centred(index i) const { return static_cast<double>(x[i]) - mean; }
    };

    static double mean_of(T const* x, index n) {
        double sum = 0;
        for (index i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
        return sum / static_cast<double>(n);
    }

    /// @param kept  the divisor before and after hooks, or null
    row_of look(T const* x, index width, T const* kept) const {
        row_of row{x, width, centred_ ? mean_of(x, width) : 0, 0, 0};
        double square = 0;
        for (index i = 0; i < width; ++i) square += row.centred(i) * row.centred(i);
        row.own = std::sqrt(square / static_cast<double>(width) + epsilon_);
        row.used = kept == nullptr || kept[0] == kept[heads_] ? row.own : static_cast<double>(kept[heads_]);
        return row;
    }

    /// What the divisor of a row takes from, or gives to, a row of (co)tangents.
    static double of_divisor(row_of const& r, T const* from, bool forwards) {
        double sum = 0;
        for (index i = 0; i < r.width; ++i) sum += r.centred(i) * static_cast<double>(from[i]);
        return forwards ? sum / (r.own * static_cast<double>(r.width)) : -sum / (r.used * r.used);
    }

    /// Shows what comes to the divisors, and lets `correct` write the rows that this changes.
    template <class Correct>
    void each_row(rows_view from, rows_view to, bool forwards, Correct const& correct) const {
        auto const moved = l_.tangent.matrix(divisor_buffer, heads_);
        backend::host_copies<Context, T>&copies = l_.tangent.pass.copies(), &of_values = l_.value.pass.copies();
        backend::host_rows<Context, T> values{of_values, x_};
        backend::host_rows<Context, T> in{copies, from};
        auto const x = values.read(), f = in.read();
        auto const held = l_.held(at_);
        std::vector<std::uint8_t> const is_held{held.held.begin(), held.held.end()};
        index const width = x.extent(1) / heads_;
        tensor::buffer<T, 2> kept;  // before and after hooks, where these look
        if (l_.value.wanted(at_)) kept = on_host(l_.value.matrix(kept_divisors(at_), 2 * heads_), of_values);
        auto const row = [&](index t, index h) {
            index const r = held.row(t);
            return look(x[r].data() + h * width, width, kept.size() > 0 ? kept[r].data() + h : nullptr);
        };
        auto const stands = [&](index t) { return !is_held.empty() && is_held[static_cast<std::size_t>(t)] != 0; };
        tensor::buffer<T, 2> before({f.extent(0), heads_});
        for (index t = 0; t < f.extent(0); ++t) {
            for (index h = 0; h < heads_; ++h)
                before(t, h) = static_cast<T>(of_divisor(row(t, h), f[t].data() + h * width, forwards));
        }
        {
            backend::host_rows<Context, T> shown{copies, moved};
            std::copy_n(before.data(), before.size(), shown.write().data());
            shown.finish();
        }
        if (forwards) l_.hook_tangents(at_, moved, heads_);
        else l_.hook_cotangents(at_, moved, heads_);
        auto const after = on_host(moved, copies);
        backend::host_rows<Context, T> out{copies, to};
        auto const o = out.change();
        for (index t = 0; t < f.extent(0); ++t) {
            for (index h = 0; h < heads_; ++h) {
                auto const at = row(t, h);
                if (after(t, h) == (stands(t) ? T{0} : before(t, h)) && at.used == at.own) continue;
                correct(at, static_cast<double>(after(t, h)), f[t].data() + h * width, o[t].data() + h * width);
            }
        }
        out.finish();
    }

    static tensor::buffer<T, 2> on_host(rows_view x, backend::host_copies<Context, T>& copies) {
        backend::host_rows<Context, T> shown{copies, x};
        auto const rows = shown.read();
        auto all = tensor::buffer<T, 2>::for_overwrite(rows.extents());
        std::copy_n(rows.data(), rows.size(), all.data());
        return all;
    }

    duals l_;
    hooks::site_id at_;
    bool centred_;
    double epsilon_;
    rows_view x_;
    index heads_;
};

}  // namespace plateau::nn
