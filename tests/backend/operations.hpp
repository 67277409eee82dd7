#pragma once
/// Which operations of a backend can be called, as the compiler sees it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <plateau/backend/attention_shape.hpp>
#include <plateau/backend/concepts.hpp>
#include <plateau/backend/linear_parameters.hpp>
#include <plateau/backend/logit_summary.hpp>
#include <plateau/backend/row_edit.hpp>
#include <plateau/core/variants.hpp>

namespace plateau::testing {

/// What operations are called with.
template <class C, class T>
struct operands {
    template <class S, std::size_t Rank>
    using in = tensor::view<S, Rank, typename C::space>;

    C const& ctx;
    in<T const, 2> x;
    in<T, 2> y;
    in<T const, 1> parameters;
    in<T, 1> scale;
    in<T, 3> scores;
    in<T const, 3> pattern;
    in<index const, 1> numbers;
    in<backend::row_edit const, 1> edits;
    in<index, 1> counts;
    in<double const, 1> fractions;
    in<double, 1> distances;
    in<std::uint64_t const, 2> codes;
    in<std::uint64_t, 2> new_codes;
    backend::linear_parameters<C, T> const& layer;
    backend::attention_shape<T> shape;
    std::vector<backend::segment<T, typename C::space>> const& segments;
    typename C::template buffer<T, 2> const& owned;
    tensor::view<T const, 2> host;
    tensor::buffer<T, 2>&& host_owned;
    std::span<index const> ids;
    std::span<double> probabilities;
    std::span<backend::logit_summary> summaries;
    tensor::view<backend::scored_token<T>, 2> best;
};

/// What attention asks of the rows of a block.
template <class C, class T>
struct block_rows {
    index rows() const;
    std::vector<backend::segment<T, typename C::space>> segments(int layer) const;
    std::vector<backend::prefix_layers> prefix_layers(int layer) const;
};

/// True if rows that are not finite are noted layer by layer.
template <class C, class T>
concept can_note = requires(typename C::finite_notes notes, operands<C, T> g) {
    { notes.template after_layer<T>(g.ctx, int{}, int{}, g.y) } -> std::same_as<index>;
    { notes.first(g.ctx, int{}, int{}) } -> std::same_as<backend::noted_row>;
    { notes.moves() } -> std::same_as<index>;
};

/// True if the calls that make up `operation` compile for elements of type T in the memory of C.
template <class C, class T>
constexpr bool compiles(backend::op operation) {
    using backend::op;
    using given = operands<C, T>;
    switch (operation) {
        case op::linear:
            return requires(given g) {
                backend::linear<T>(g.ctx, g.x, g.layer, g.y);
                backend::linear<T>(g.ctx, g.x, g.layer, g.y, backend::accumulate::yes);
            };
        case op::linear_activate:
            return requires(given g) {
                backend::linear_activate<T>(g.ctx, activation::silu, g.x, g.layer, &g.layer, g.y);
            };
        case op::gather_rows: return requires(given g) { backend::gather_rows<T>(g.ctx, g.layer.weight, g.ids, g.y);
            };
        case op::norm:
            return requires(given g) {
                backend::rms_scale<T>(g.ctx, g.x, 1e-5, g.scale);
                backend::centre_and_scale<T>(g.ctx, g.x, 1e-5, g.y, g.scale);
                backend::divide_rows<T>(g.ctx, g.x, g.parameters, g.y);
                backend::affine<T>(g.ctx, g.x, g.parameters, g.parameters, g.y);
                backend::norm<T>(g.ctx, norm_kind::rms, g.x, 1e-5, g.parameters, g.parameters, g.y);
            };
        case op::rope: return requires(given g) { backend::rotate<T>(g.ctx, g.y, index{}, g.x, g.x);
            };
        case op::prefix_attention:
            return requires(given g) { backend::prefix_attention<T>(g.ctx, g.shape, g.x, g.x, g.x, g.segments, g.y); };
        case op::attend:
            return requires(given g, block_rows<C, T> rows, typename C::template attention_work<T> & work) {
                work.begin();
                { work.form() } -> std::same_as<std::array<index, 3>>;
                backend::prepare_attention<T>(g.ctx, g.shape, rows, 0, work);
                backend::attend<T>(g.ctx, g.shape, {g.x, g.x, g.x}, rows, 0, work, g.y);
            };
        case op::attention_steps:
            return requires(given g) {
                backend::attention_scores<T>(g.ctx, g.shape, g.x, g.x, g.segments, g.scores);
                backend::attention_softmax<T>(g.ctx, g.shape, g.segments, g.scores);
                backend::attention_mix<T>(g.ctx, g.shape, g.pattern, g.x, g.segments, g.y);
            };
        case op::activation: return requires(given g) { backend::activate<T>(g.ctx, activation::gelu, g.x, g.x, g.y);
            };
        case op::add: return requires(given g) { backend::add<T>(g.ctx, g.x, g.y);
            };
        case op::bounds:
            return requires(given g) {
                backend::scale<T>(g.ctx, g.y, T{2});
                backend::cap<T>(g.ctx, g.y, T{2});
                backend::clip<T>(g.ctx, g.y, T{2});
            };
        case op::not_finite:
            return requires(given g) {
                { backend::first_not_finite<T>(g.ctx, g.x) } -> std::same_as<index>;
                backend::note_not_finite<T>(g.ctx, g.x, g.counts);
                requires can_note<C, T>;
            };
        case op::linear_points:
            return requires(given g) { backend::linear_points<T>(g.ctx, g.x, g.x, g.numbers, g.fractions, g.y); };
        case op::row_distances:
            return requires(given g) { backend::row_distances<T>(g.ctx, g.x, g.x, g.numbers, g.distances); };
        case op::sign_codes:
            return requires(given g) {
                backend::sign_codes<T>(g.ctx, g.x, g.new_codes);
                backend::hamming_distances(g.ctx, g.codes, g.codes, g.numbers, g.counts);
            };
        case op::summarise_logits:
            return requires(given g) {
                backend::summarise_logits<T>(g.ctx, g.x, g.layer, T{}, g.ids, g.summaries, g.best);
            };
        case op::log_probabilities:
            return requires(given g) {
                backend::log_probabilities<T>(g.ctx, g.x, g.layer, T{}, g.ids, g.probabilities);
            };
        case op::edit_rows: return requires(given g) { backend::edit_rows<T>(g.ctx, g.parameters, g.edits, g.y);
            };
        case op::tangents:
            return requires(given g, backend::tangents_of of) {
                backend::norm_tangents<T>(g.ctx, norm_kind::rms, g.x, index{}, 1e-5, g.parameters, of, g.x, g.y);
                backend::activation_slopes<T>(g.ctx, activation::gelu, g.x, g.x, g.y, g.y);
                backend::activation_tangents<T>(g.ctx, g.x, g.x, of, g.x, g.x, g.y);
                backend::clip_tangents<T>(g.ctx, g.x, T{2}, of, g.y);
                backend::cap_tangents<T>(g.ctx, g.x, T{2}, of, g.y);
                backend::attention_tangents<T>(g.ctx, g.shape, {g.x, g.x, g.x}, {g.x, g.x, g.x}, of, g.segments, g.y);
                backend::norm_cotangents<T>(g.ctx, norm_kind::rms, g.x, index{}, 1e-5, of, g.x, g.y);
                backend::activation_cotangents<T>(g.ctx, g.x, g.x, of, g.x, g.y, g.y);
                backend::attention_cotangents<T>(g.ctx, g.shape, {g.x, g.x, g.x}, of, g.segments, g.x, {g.y, g.y, g.y});
            };
        case op::memory:
            return requires(given g) {
                { backend::allocate<T>(g.ctx, g.x.extents()) } -> std::same_as<typename C::template buffer<T, 2>>;
                { backend::rows_that_fit(g.ctx, index{}) } -> std::same_as<index>;
                {
                    backend::rows_with_memory<T>(
                        g.ctx, index{}, index{}, index{}, [](index) {}, [] {})
                    } -> std::same_as<index>;
                {
                    backend::owned_by(g.ctx, std::move(g.host_owned))
                    } -> std::same_as<typename C::template buffer<T, 2>>;
                backend::viewed_by<T>(g.ctx, g.host);
                { backend::to_host(g.ctx, g.owned) } -> std::same_as<tensor::buffer<T, 2>>;
                backend::copy<T>(g.ctx, g.x, g.y);
                backend::clear<T>(g.ctx, g.y);
            };
    }
    return false;
}

/// The operations for which `supports` and the compiler disagree, by name.
template <class C, class T>
std::string disagreements() {
    std::string names;
    for (auto const one : backend::operations) {
        if (backend::supports<C, T>(one) != compiles<C, T>(one))
            names.append(names.empty() ? "" : ", ").append(backend::name_of(one));
    }
    return names;
}

/// A context whose memory is the host's, and which computes nothing.
struct idle_context {
    using space = tensor::host_space;
    template <class T, std::size_t Rank>
    using buffer = tensor::buffer<T, Rank>;
    template <class T>
    struct weight {};
};

}  // namespace plateau::testing
