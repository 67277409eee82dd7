#pragma once
/// Sparse autoencoders: activations as few of many features, and back.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/backend/concepts.hpp>
#include <plateau/backend/cpu.hpp>
#include <plateau/core/error.hpp>
#include <plateau/sae/sae_config.hpp>
#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::sae {

/// What belongs to an activation and is not in its features: x = centre + scale · (what was encoded).
struct input_scale {
    double centre = 0;
    double scale = 1;
};

/// The parameters, as SAELens names them. Those that an architecture does not have are empty.
template <class Context, class T>
struct sae_weights {
    typename Context::template weight<T> encoder;  ///< W_enc, as outputs × inputs [F, D]
    tensor::buffer<T, 2> decoder;                  ///< W_dec [F, D]
    tensor::buffer<T, 1> decoder_bias;             ///< b_dec [D]
    tensor::buffer<T, 1> encoder_bias;             ///< b_enc [F]; of gated b_mag
    tensor::buffer<T, 1> gate_bias;                ///< b_gate [F]
    tensor::buffer<T, 1> magnitude_scale;          ///< r_mag [F]
    tensor::buffer<T, 1> threshold;                ///< [F]
};

/// f = σ(h),   h = (x − b_dec) W_enc + b_enc,   x̂ = f W_dec + b_dec;   σ: see `sae_architecture`
/// Products in T, by the backend; reconstructions summed in double over the features that are not zero.
/// @see SAELens 6 (encode, decode, process_sae_in); Rajamanoharan et al. 2024 (gated, jumprelu); Gao et al. 2024 (topk)
template <class Context, class T>
class sparse_autoencoder {
public:
    /// @throws shape_error if a parameter does not fit the configuration
    sparse_autoencoder(sae_config config, sae_weights<Context, T> weights)
        : config_{std::move(config)}, weights_{std::move(weights)}, centres_{config_.centred_model} {
        auto const f = config_.features, d = config_.width;
        bool const gated = config_.architecture == sae_architecture::gated;
        tensor::require_extents<2>({weights_.encoder.outputs(), weights_.encoder.inputs()}, {f, d},
                                   "W_enc of a sparse autoencoder");
        tensor::require_extents<2>(weights_.decoder.extents(), {f, d}, "W_dec of a sparse autoencoder");
        tensor::require_extents<1>(weights_.decoder_bias.extents(), {d}, "b_dec of a sparse autoencoder");
        tensor::require_extents<1>(weights_.encoder_bias.extents(), {f}, "b_enc or b_mag of a sparse autoencoder");
        tensor::require_extents<1>(weights_.gate_bias.extents(), {gated ? f : 0}, "b_gate of a sparse autoencoder");
        tensor::require_extents<1>(weights_.magnitude_scale.extents(), {gated ? f : 0},
                                   "r_mag of a sparse autoencoder");
        tensor::require_extents<1>(weights_.threshold.extents(),
                                   {config_.architecture == sae_architecture::jumprelu ? f : 0},
                                   "the threshold of a sparse autoencoder");
        if (!config_.rescales_by_decoder_norm) return;
        for (index i = 0; i < f; ++i)
            decoder_norms_.push_back(static_cast<T>(std::sqrt(tensor::dot(decoder_row(i), decoder_row(i)))));
    }

    sae_config const& config() const { return config_; }

    /// Whether activations go in less their mean over D, which reconstructions get back. At first: if the
    /// configuration says that the model was centred. @see prepare, which asks the model
    void centre_inputs(bool centres) { centres_ = centres; }

    index width() const { return config_.width; }
    index features() const { return config_.features; }
    /// The direction that feature i writes, [D].
    std::span<T const> decoder_row(index i) const { return weights_.decoder[i].flat(); }
    /// All of them, [F, D].
    tensor::view<T const, 2> decoder() const { return weights_.decoder; }

    /// @param x  [R, D]      @param features  [R, F]
    /// @return [R] what `decode` needs besides      @throws shape_error
    std::vector<input_scale> encode(Context const& ctx, tensor::view<T const, 2> x, tensor::view<T, 2> features) const {
        index const rows = x.extent(0), d = width();
        tensor::require_extents(x.extents(), {rows, d}, "the activations that a sparse autoencoder encodes");
        tensor::require_extents(features.extents(), {rows, config_.features}, "the features of a sparse autoencoder");
        std::vector<input_scale> scales;
        tensor::buffer<T, 2> centred({rows, d});
        for (index r = 0; r < rows; ++r) {
            scales.push_back(scale_of(x[r].flat()));
            for (index i = 0; i < d; ++i) {
                auto const scaled =
                    static_cast<T>((static_cast<double>(x(r, i)) - scales.back().centre) / divisor(scales.back()));
                centred(r, i) = config_.centres_on_decoder_bias ? scaled - weights_.decoder_bias(i) : scaled;
            }
        }
        bool const gated = config_.architecture == sae_architecture::gated;
        auto const bias = gated ? tensor::view<T const, 1>{} : tensor::view<T const, 1>{weights_.encoder_bias};
        backend::linear<T>(ctx, centred, {weights_.encoder, bias}, features);
        for (index r = 0; r < rows; ++r) activate(features[r].flat());
        return scales;
    }

    /// @param features  [R, F]      @param scales  [R], from `encode`; none: 0 and 1      @param x  [R, D]      @throws
    /// shape_error
    void decode(tensor::view<T const, 2> features, std::span<input_scale const> scales, tensor::view<T, 2> x) const {
        index const rows = features.extent(0);
        tensor::require_extents(features.extents(), {rows, config_.features}, "the features of a sparse autoencoder");
        tensor::require_extents(x.extents(), {rows, width()}, "the reconstructions of a sparse autoencoder");
        if (!scales.empty())
            tensor::require_extents<1>({static_cast<index>(scales.size())}, {rows},
                                       "the scales of a sparse autoencoder");
        std::vector<double> sum(static_cast<std::size_t>(width()));
        for (index r = 0; r < rows; ++r) {
            std::copy_n(weights_.decoder_bias.data(), sum.size(), sum.begin());
            for (index f = 0; f < config_.features; ++f) {
                if (features(r, f) == 0) continue;
                double const share =
                    static_cast<double>(features(r, f)) /
                    (decoder_norms_.empty() ? 1 : static_cast<double>(decoder_norms_[static_cast<std::size_t>(f)]));
                T const* const row = decoder_row(f).data();
                for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += share * static_cast<double>(row[i]);
            }
            auto const scale = scales.empty() ? input_scale{} : scales[static_cast<std::size_t>(r)];
            for (std::size_t i = 0; i < sum.size(); ++i)
                x(r, static_cast<index>(i)) = static_cast<T>(scale.centre + scale.scale * sum[i]);
        }
    }

    /// x̂ of x, both [R, D]; SAE(a) − a is the error direction. @throws shape_error
    void reconstruct(Context const& ctx, tensor::view<T const, 2> x, tensor::view<T, 2> out) const {
        tensor::buffer<T, 2> features({x.extent(0), config_.features});
        auto const scales = encode(ctx, x, features);
        decode(features, scales, out);
    }

private:
    input_scale scale_of(std::span<T const> x) const {
        using enum sae_normalisation;
        auto const kind = config_.normalisation;
        double const count = static_cast<double>(x.size());
        if (kind == constant_norm && !centres_) return {0, std::sqrt(tensor::dot(x, x) / count)};
        if (kind == none && !centres_) return {};
        double const mean = std::accumulate(x.begin(), x.end(), 0.0) / count;
        double squares = 0;
        for (T const one : x) squares += (static_cast<double>(one) - mean) * (static_cast<double>(one) - mean);
        if (kind == none) return {mean, 1};
        return {mean, std::sqrt(squares / (kind == constant_norm ? count : count - 1))};
    }

    double divisor(input_scale const& scale) const {
        return config_.normalisation == sae_normalisation::layer_norm ? scale.scale + 1e-5 : scale.scale;
    }

    /// Pre-activations (of gated: without their biases) to features, in place.
    void activate(std::span<T> h) const {
        auto const relu = [](T value) { return value > 0 ? value : T{0}; };
        switch (config_.architecture) {
            case sae_architecture::standard: std::transform(h.begin(), h.end(), h.begin(), relu); return;
            case sae_architecture::gated:
                for (std::size_t i = 0; i < h.size(); ++i) {
                    auto const f = static_cast<index>(i);
                    bool const open = h[i] + weights_.gate_bias(f) > 0;
                    h[i] = open ? relu(h[i] * std::exp(weights_.magnitude_scale(f)) + weights_.encoder_bias(f)) : T{0};
                }
                return;
            case sae_architecture::jumprelu:
                for (std::size_t i = 0; i < h.size(); ++i)
                    h[i] = h[i] > weights_.threshold(static_cast<index>(i)) ? relu(h[i]) : T{0};
                return;
            case sae_architecture::groupmax: keep_largest_of_groups(h); return;
            case sae_architecture::topk: break;
        }
        for (std::size_t i = 0; i < decoder_norms_.size(); ++i) h[i] *= decoder_norms_[i];
        std::vector<std::size_t> order(h.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        auto const kept = order.begin() + static_cast<std::ptrdiff_t>(config_.k);
        std::nth_element(order.begin(), kept - 1, order.end(),
                         [&](std::size_t a, std::size_t b) { return h[a] != h[b] ? h[a] > h[b] : a < b; });
        std::for_each(order.begin(), kept, [&](std::size_t i) { h[i] = relu(h[i]); });
        std::for_each(kept, order.end(), [&](std::size_t i) { h[i] = 0; });
    }

    /// The first of equals, as torch.max.
    void keep_largest_of_groups(std::span<T> h) const {
        auto const size = h.size() / static_cast<std::size_t>(config_.k);
        for (std::size_t first = 0; first < h.size(); first += size) {
            auto const group = h.subspan(first, size);
            auto const at = std::max_element(group.begin(), group.end());
            T const largest = *at > 0 ? *at : T{0};
            std::fill(group.begin(), group.end(), T{0});
            *at = largest;
        }
    }

    sae_config config_;
    sae_weights<Context, T> weights_;
    bool centres_ = false;
    std::vector<T> decoder_norms_;  // [F]; empty unless features are rescaled by them
};

}  // namespace plateau::sae
