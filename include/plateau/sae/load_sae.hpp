#pragma once
/// Sparse autoencoders from the folders of SAELens, sparsify, Gemma Scope and dictionary_learning.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/variants.hpp>
#include <plateau/sae/sae_source.hpp>
#include <plateau/sae/sparse_autoencoder.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::sae {

namespace detail {

template <class T>
tensor::buffer<T, 1> read_vector(sae_tensors const& file, std::string const& name, index size) {
    file.require(name, {size});
    tensor::buffer<T, 1> result({size});
    file.read_rows(name, 0, std::span<T>{result.data(), static_cast<std::size_t>(size)});
    return result;
}

/// W_dec [F, D], whichever way it lies.
template <class T>
tensor::buffer<T, 2> read_decoder(sae_tensors const& file, sae_layout const& layout, index f, index d) {
    file.require(layout.decoder, layout.decoder_by_inputs ? std::vector{d, f} : std::vector{f, d});
    tensor::buffer<T, 2> decoder({f, d});
    if (!layout.decoder_by_inputs) {
        file.read_rows(layout.decoder, 0, std::span<T>{decoder.data(), static_cast<std::size_t>(f * d)});
        return decoder;
    }
    constexpr index at_a_time = 64;
    tensor::buffer<T, 2> rows({std::min(at_a_time, d), f});
    for (index first = 0; first < d; first += at_a_time) {
        index const count = std::min(at_a_time, d - first);
        file.read_rows(layout.decoder, first, std::span<T>{rows.data(), static_cast<std::size_t>(count * f)});
        for (index feature = 0; feature < f; ++feature) {
            for (index i = 0; i < count; ++i) decoder(feature, first + i) = rows(i, feature);
        }
    }
    return decoder;
}

/// Brings decoder rows to length 1. @return [F] the lengths that they had; none if all are 1, within what
/// torch.allclose allows, and nothing was changed      @throws file_error on a row of zeros
template <class T>
std::vector<double> take_lengths(tensor::buffer<T, 2>& decoder, std::string const& where) {
    std::vector<double> lengths;
    bool all_one = true;
    for (index i = 0; i < decoder.extent(0); ++i) {
        auto const row = decoder[i].flat();
        lengths.push_back(std::sqrt(tensor::dot(row, row)));
        if (!(lengths.back() > 0)) throw file_error(where, ": the decoder of feature ", i, " is zero");
        all_one &= std::abs(lengths.back() - 1) <= 1e-8 + 1e-5;
    }
    if (all_one) return {};
    for (index i = 0; i < decoder.extent(0); ++i) {
        for (auto& value : decoder[i].flat())
            value = static_cast<T>(static_cast<double>(value) / lengths[static_cast<std::size_t>(i)]);
    }
    return lengths;
}

/// W_enc, whichever way it lies, feature i times factors[i]. @param factors  [F], or none
template <class T, class Weight>
void read_encoder(sae_tensors const& file, sae_layout const& layout, std::vector<double> const& factors, Weight& to) {
    index const f = to.outputs(), d = to.inputs();
    bool const by_outputs = layout.encoder_by_outputs;
    auto writer = to.writer();
    index const all = by_outputs ? f : d, width = by_outputs ? d : f;
    index const step = by_outputs ? 1 * +writer.output_step : 32 * +writer.input_step;
    tensor::buffer<T, 2> rows({std::min(step, all), width});
    for (index first = 0; first < all; first += step) {
        index const count = std::min(step, all - first);
        file.read_rows(layout.encoder, first, std::span<T>{rows.data(), static_cast<std::size_t>(count * width)});
        for (index r = 0; r < count && !factors.empty(); ++r) {
            for (index c = 0; c < width; ++c) {
                auto const feature = static_cast<std::size_t>(by_outputs ? first + r : c);
                rows(r, c) = static_cast<T>(static_cast<double>(rows(r, c)) * factors[feature]);
            }
        }
        tensor::view<T const, 2> const piece{rows.data(), {count, width}};
        if (by_outputs) writer.outputs(first, piece);
        else writer.inputs(first, piece);
    }
}

/// @throws file_error naming a tensor that the numbers would depend on, and that nothing here reads: one that the
/// configuration has no place for, a scaling_factor other than ones, a k other than the configuration's
inline void require_no_others(sae_tensors const& file, sae_source const& source) {
    auto const& config = source.config;
    auto const& layout = source.layout;
    bool const gated = config.architecture == sae_architecture::gated,
               jumps = config.architecture == sae_architecture::jumprelu;
    auto const read = concat({" ", layout.encoder, " ", layout.decoder, " ", layout.decoder_bias, " ",
                              layout.encoder_bias, " ", gated ? layout.gate_bias : "", " ",
                              gated ? layout.magnitude_scale : "", " ", jumps ? layout.threshold : "", " "});
    auto const where = file.path().string();
    auto const names = file.names();
    for (auto const& name : names) {
        auto const word = concat({" ", name, " "});
        if (read.find(word) != std::string::npos) continue;
        if (layout.spare.find(word) == std::string_view::npos) {
            throw file_error(where, ": unexpected tensor ", io::printable(name),
                             ", which an autoencoder of this architecture does not have: it is a transcoder, or the "
                             "configuration is another's; give a sparse autoencoder of one site and its own one");
        }
        if (auto const k = name == "k" && config.k > 0 ? file.integer(name) : std::nullopt; k && *k != config.k) {
            throw config_error(where, ": k is ", *k, " there and ", config.k, " in ", source.told_by,
                               "; give the configuration that was saved with it");
        }
        if (name != "scaling_factor") continue;
        auto const factors = read_vector<double>(file, name, config.features);
        for (index i = 0; i < config.features; ++i) {
            if (factors.data()[i] == 1) continue;
            throw file_error(where, ": scaling_factor of feature ", i,
                             " is not 1, which is not supported: fold it into the decoder and save again");
        }
    }
}

}  // namespace detail

/// @param folder  as one of these projects has written it, see `find_sae`; F32, F16, BF16 or F64
/// @throws file_error (missing, truncated, missing tensors, shapes), config_error, json errors; each names the file
template <class T, class Context>
sparse_autoencoder<Context, T> load_sae(std::filesystem::path const& folder, Context const& ctx) {
    auto source = find_sae(folder);
    auto& config = source.config;
    auto const& layout = source.layout;
    auto const file = source.open();
    index const d = config.width, f = config.features;
    file.require(layout.encoder, layout.encoder_by_outputs ? std::vector{f, d} : std::vector{d, f});
    sae_weights<Context, T> weights;
    weights.decoder = detail::read_decoder<T>(file, layout, f, d);
    weights.decoder_bias = detail::read_vector<T>(file, layout.decoder_bias, d);
    weights.encoder_bias = detail::read_vector<T>(file, layout.encoder_bias, f);
    std::vector<double> factors;
    if (layout.unit_decoder) {
        factors = detail::take_lengths(weights.decoder, file.path().string());
        for (std::size_t i = 0; i < factors.size(); ++i) weights.encoder_bias.data()[i] *= static_cast<T>(factors[i]);
    }
    if (layout.input_factor != 1) {
        auto const back = static_cast<T>(1 / layout.input_factor);
        for (index i = 0; i < f * d; ++i) weights.decoder.data()[i] *= back;
        for (index i = 0; i < d; ++i) weights.decoder_bias.data()[i] *= back;
        if (factors.empty()) factors.assign(static_cast<std::size_t>(f), 1);
        for (auto& factor : factors) factor *= layout.input_factor;
    }
    weights.encoder = typename Context::template weight<T>{ctx, f, d, dtype_of<T>};
    detail::read_encoder<T>(file, layout, factors, weights.encoder);
    if (config.architecture == sae_architecture::gated) {
        weights.gate_bias = detail::read_vector<T>(file, layout.gate_bias, f);
        weights.magnitude_scale = detail::read_vector<T>(file, layout.magnitude_scale, f);
    }
    if (config.architecture == sae_architecture::jumprelu && !layout.one_threshold)
        weights.threshold = detail::read_vector<T>(file, layout.threshold, f);
    if (config.architecture == sae_architecture::jumprelu && layout.one_threshold) {
        T threshold{};
        file.require(layout.threshold, {});
        file.read_rows(layout.threshold, 0, std::span<T>{&threshold, 1});
        weights.threshold = tensor::buffer<T, 1>({f});
        std::fill_n(weights.threshold.data(), f, threshold);
    }
    detail::require_no_others(file, source);
    return {std::move(config), std::move(weights)};
}

/// @param site,width  where the autoencoder is to be used, and how wide activations are there
/// @throws usage_error if it was trained on activations of another width, or at another site (block i's hook_resid_pre
///         and block i − 1's hook_resid_post are the same); a file that names no site is taken at its word
inline void require_site(sae_config const& config, std::string const& site, index width) {
    if (config.width != width) {
        throw usage_error("the sparse autoencoder has ", config.width, " inputs, activations at ", site, " have ",
                          width, ": it belongs to another model or site");
    }
    if (config.site.empty() || hook_point_of(config.site) == hook_point_of(site)) return;
    throw usage_error("the sparse autoencoder was trained at ", io::printable(config.site), ", not at ", site,
                      ": use it there");
}

/// Makes an autoencoder encode what its training saw: where its model's writing weights were centred (TransformerLens'
/// center_writing_weights), parts of the residual stream go in less their mean over D if the model's norms are
/// LayerNorms. With RMSNorm TransformerLens centres nothing, and x goes in as it is.
/// @param norm  the model's      @param has_post_norms  whether norms follow attention and MLP
/// @return what a user should know: the configuration's notes, and one of centring
/// @throws as require_site; usage_error where a module's output is not what the hook point has
template <class Context, class T>
std::vector<std::string> prepare(sparse_autoencoder<Context, T>& sae, std::string const& site, index width,
                                 norm_kind norm, bool has_post_norms) {
    auto const& config = sae.config();
    require_site(config, site, width);
    auto const point = hook_point_of(config.site);
    if (has_post_norms && point != config.site && (point.ends_with("_mlp_out") || point.ends_with("_attn_out")) &&
        !config.site.starts_with("blocks.")) {
        throw usage_error("the sparse autoencoder was trained on the output of ", io::printable(config.site),
                          ", which goes through a norm of this model before ", site, ": there is no such hook point");
    }
    auto notes = config.notes;
    bool const centres = config.centred_model && norm == norm_kind::layer && is_residual(site);
    sae.centre_inputs(centres);
    if (config.centred_model && norm != norm_kind::layer) {
        notes.push_back(
            "the sparse autoencoder's configuration asks for center_writing_weights; this model has "
            "RMSNorm, where TransformerLens centres nothing: activations go in as they are");
    } else if (centres) {
        notes.push_back(
            "the sparse autoencoder's model had its writing weights centred: activations go in less their "
            "mean over the residual stream");
    }
    return notes;
}

/// Lines on prompts that are unlike the texts of the training: their beginning and their length.
/// @param with_bos  how many of `count` begin with BOS      @param longest  of them, in tokens
/// @param has_bos  whether the model names a BOS
inline std::vector<std::string> prompt_notes(sae_config const& config, index count, index with_bos, index longest,
                                             bool has_bos = true) {
    std::vector<std::string> notes;
    if (config.prepend_bos && *config.prepend_bos && with_bos < count) {
        notes.push_back(concat({"the sparse autoencoder was trained on texts that begin with BOS (prepend_bos); ",
                                count - with_bos, " of ", count, " prompts do not: ",
                                has_bos ? "--bos on adds it"
                                        : "this model names no BOS; give --tokens that begin "
                                          "with the token that the training took for it"}));
    } else if (config.prepend_bos && !*config.prepend_bos && with_bos > 0) {
        notes.push_back(concat({"the sparse autoencoder was trained on texts without BOS (prepend_bos false); ",
                                with_bos, " of ", count, " prompts begin with it: --bos off leaves it out"}));
    }
    if (config.context_size > 0 && longest > config.context_size) {
        notes.push_back(concat({"the sparse autoencoder was trained on texts of ", config.context_size,
                                " tokens (context_size); the longest prompt has ", longest}));
    }
    return notes;
}

}  // namespace plateau::sae
