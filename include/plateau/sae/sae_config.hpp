#pragma once
/// What the cfg.json of a sparse autoencoder says, in SAELens' format before and since its version 6.

#include <string>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::sae {

/// How pre-activations become features.
enum class sae_architecture {
    standard,  ///< relu(h)
    gated,     ///< [h + b_gate > 0] relu(h exp(r_mag) + b_mag)
    jumprelu,  ///< [h > threshold] relu(h)
    topk,      ///< relu of the k largest
};

/// What an activation is divided by, and less of, before it is encoded; its reconstruction gets it back.
enum class sae_normalisation {
    none,
    constant_norm,  ///< rescaled to the norm √D
    layer_norm,     ///< less its mean, by its standard deviation (of D − 1) + 1e-5
};

struct sae_config {
    sae_architecture architecture = sae_architecture::standard;
    sae_normalisation normalisation = sae_normalisation::none;
    index width = 0;                        ///< D, d_in
    index features = 0;                     ///< F, d_sae
    index k = 0;                            ///< of topk
    bool centres_on_decoder_bias = true;    ///< b_dec is subtracted before encoding
    bool rescales_by_decoder_norm = false;  ///< topk alone: as if decoder rows had unit length
    std::string site;                       ///< the hook point that it was trained on; empty if the file does not say
};

namespace detail {

inline sae_architecture sae_architecture_of(std::string const& name, std::string const& where) {
    if (name == "standard") return sae_architecture::standard;
    if (name == "gated") return sae_architecture::gated;
    if (name == "jumprelu") return sae_architecture::jumprelu;
    if (name == "topk") return sae_architecture::topk;
    throw config_error(where, ": the architecture ", io::printable(name),
                       " is not supported; there are standard, gated, jumprelu (as which batchtopk is "
                       "saved) and topk");
}

inline sae_normalisation sae_normalisation_of(io::json const& root, std::string const& where) {
    auto const* const value = io::find_field(root, "normalize_activations");
    if (value == nullptr || io::json_is<bool>(*value))
        return sae_normalisation::none;  // a flag of early versions: scaled while training alone
    auto const name = io::field_or<std::string>(root, "normalize_activations", "none", where);
    if (name == "none" || name == "expected_average_only_in") return sae_normalisation::none;
    if (name == "constant_norm_rescale") return sae_normalisation::constant_norm;
    if (name == "layer_norm") return sae_normalisation::layer_norm;
    throw config_error(where, ": normalize_activations ", io::printable(name),
                       " is not supported: fold it into the weights with SAELens and save again");
}

}  // namespace detail

/// @param where  the file, for messages
/// @throws config_error on a field that is missing, of the wrong kind or out of range, and on whatever changes the
/// numbers and is not supported
/// @post `expected_average_only_in` counts as none, as in SAELens, which folds its factor into the weights when it is
/// known
inline sae_config read_sae_config(io::json const& root, std::string const& where) {
    if (!root.is_object())
        throw config_error(where, ": the configuration must be an object, found ", io::describe(root));
    sae_config config;
    config.width = io::field<index>(root, "d_in", where);
    config.features = io::field<index>(root, "d_sae", where);
    if (config.width < 1 || config.features < 1) {
        throw config_error(where, ": d_in and d_sae must be positive, found ", config.width, " and ", config.features);
    }
    auto activation = io::field_or<std::string>(root, "activation_fn_str", "relu", where);  // before version 6
    activation = io::field_or<std::string>(root, "activation_fn", activation, where);
    auto const named = io::field_or<std::string>(root, "architecture", "standard", where);
    config.architecture = activation == "topk" ? sae_architecture::topk : detail::sae_architecture_of(named, where);
    if (activation != "relu" && activation != "topk") {
        throw config_error(where, ": the activation function ", io::printable(activation),
                           " is not supported; there are relu and topk");
    }
    if (config.architecture == sae_architecture::topk) {
        auto const* const kwargs = io::find_field(root, "activation_fn_kwargs");
        auto const k =
            kwargs != nullptr && kwargs->is_object() ? io::optional_field<index>(*kwargs, "k", where) : std::nullopt;
        config.k = k ? *k : io::field<index>(root, "k", where);
        if (config.k < 1 || config.k > config.features) {
            throw config_error(where, ": k must be 1 to d_sae = ", config.features, ", found ", config.k);
        }
        config.rescales_by_decoder_norm = io::field_or<bool>(root, "rescale_acts_by_decoder_norm", false, where);
    }
    config.normalisation = detail::sae_normalisation_of(root, where);
    config.centres_on_decoder_bias = io::field_or<bool>(root, "apply_b_dec_to_input", true, where);
    if (io::field_or<bool>(root, "finetuning_scaling_factor", false, where)) {
        throw config_error(where,
                           ": finetuning_scaling_factor is not supported: fold it into the decoder and save again");
    }
    auto const* const metadata = io::find_field(root, "metadata");
    io::json const& says = metadata != nullptr && metadata->is_object() ? *metadata : root;
    config.site = io::field_or<std::string>(says, "hook_point", "", where);
    config.site = io::field_or<std::string>(says, "hook_name", config.site, where);
    return config;
}

}  // namespace plateau::sae
