#pragma once
/// Logits of a few tokens on a backend, with the bits that they have among all.

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/engine.hpp>
#include <plateau/models/concepts.hpp>

namespace plateau::engine {

/// Logits of a few tokens: a weight of these rows alone, stored as all of them are.
template <class Context, class T>
class chosen_logits_on final : public chosen_logits<T> {
public:
    /// @param ctx  kept as a reference
    template <class M>
    PLATEAU_RARE chosen_logits_on(Context const& ctx, M const& model, std::vector<index> const& tokens)
        : ctx_{ctx}, scale_{models::logit_scale_of<T>(model)}, cap_{model.logit_cap} {
        auto const count = static_cast<index>(tokens.size());
        auto rows = backend::allocate<T>(ctx, std::array<index, 2>{count, model.width()});
        backend::gather_rows<T>(ctx, *model.unembedding, tokens, rows);
        unembedding_ = stored_as(*model.unembedding, backend::to_host(ctx, rows));
        if (model.unembedding_bias.size() == 0) return;
        auto const all = backend::to_host(ctx, model.unembedding_bias);
        tensor::buffer<T, 1> bias({count});
        for (index i = 0; i < count; ++i) bias(i) = all(tokens[static_cast<std::size_t>(i)]);
        bias_ = backend::owned_by(ctx, std::move(bias));
    }

    PLATEAU_INLINE tensor::buffer<T, 2> of(tensor::view<T const, 2> x) const override {
        auto found = backend::allocate<T>(ctx_, std::array<index, 2>{x.extent(0), unembedding_.outputs()});
        backend::linear<T>(ctx_, backend::viewed_by(ctx_, x), {unembedding_, bias_}, found);
        if (scale_ != T{1}) backend::scale<T>(ctx_, found, scale_);
        if (cap_ > 0) backend::cap<T>(ctx_, found, cap_);
        return backend::to_host(ctx_, found);
    }

private:
    using weight = typename Context::template weight<T>;

    /// The rows, which came out of a weight, as a weight that stores them as that one did.
    PLATEAU_INLINE weight stored_as(weight const& like, tensor::buffer<T, 2> const& rows) const {
        bool const narrow = like.is_bf16();
        weight own{ctx_, rows.extent(0), rows.extent(1), narrow ? dtype::bf16 : dtype_of<T>};
        if constexpr (std::is_same_v<T, float>) {
            if (narrow) {
                tensor::buffer<bfloat16, 2> rounded(rows.extents());
                for (index i = 0; i < rows.size(); ++i) rounded.data()[i] = bfloat16(rows.data()[i]);
                own.writer().outputs(0, rounded);
                return own;
            }
        }
        own.writer().outputs(0, rows);
        return own;
    }

    Context const& ctx_;
    weight unembedding_;                            // [n, D]
    typename Context::template buffer<T, 1> bias_;  // [n], or empty
    T scale_, cap_;
};

}  // namespace plateau::engine
