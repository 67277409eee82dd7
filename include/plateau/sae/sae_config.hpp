#pragma once
/// What the cfg.json of a sparse autoencoder says, in SAELens' format before and since its version 6.

#include <optional>
#include <string>
#include <vector>

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
    groupmax,  ///< relu of the largest of each of k groups of neighbours
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
    index k = 0;                            ///< of topk and groupmax
    bool centres_on_decoder_bias = true;    ///< b_dec is subtracted before encoding
    bool rescales_by_decoder_norm = false;  ///< topk alone: as if decoder rows had unit length
    std::string site;            ///< where it was trained: a hook point, or a module of transformers; empty if not said
    bool centred_model = false;  ///< its model's writing weights were centred: activations less their mean over D
    std::optional<bool> prepend_bos;  ///< whether the texts that it was trained on begin with BOS
    index context_size = 0;           ///< their length in tokens; 0 if not said
    std::vector<std::string> notes;   ///< what a user should know and is no error, one sentence each
};

namespace detail {

inline sae_architecture sae_architecture_of(std::string const& name, std::string const& where) {
    if (name == "standard") return sae_architecture::standard;
    if (name == "gated") return sae_architecture::gated;
    if (name == "jumprelu") return sae_architecture::jumprelu;
    if (name == "topk") return sae_architecture::topk;
    if (name.find("transcoder") != std::string::npos || name.find("crosscoder") != std::string::npos) {
        throw config_error(where, ": it is a ", io::printable(name),
                           ", which reads one site and writes others: give a sparse autoencoder of one site");
    }
    throw config_error(where, ": the architecture ", io::printable(name),
                       " is not supported; there are standard, gated, jumprelu (as which batchtopk is "
                       "saved) and topk");
}

/// @throws config_error unless there are inputs and features
inline void require_sae_size(sae_config const& config, std::string const& where) {
    if (config.width >= 1 && config.features >= 1) return;
    throw config_error(where, ": the numbers of inputs and of features (d_in and d_sae) must be positive, found ",
                       config.width, " and ", config.features);
}

/// @throws config_error unless k features may fire, or k groups are equal
inline void require_k(sae_config const& config, std::string const& where) {
    if (config.k < 1 || config.k > config.features) {
        throw config_error(where, ": k must be 1 to d_sae = ", config.features, ", found ", config.k);
    }
    if (config.architecture == sae_architecture::groupmax && config.features % config.k != 0)
        throw config_error(where, ": ", config.features, " features do not make ", config.k, " equal groups");
}

/// @param notes  gets a line where SAELens leaves something out
inline sae_normalisation sae_normalisation_of(io::json const& root, std::string const& where,
                                              std::vector<std::string>& notes) {
    auto const* const value = io::find_field(root, "normalize_activations");
    if (value == nullptr) return sae_normalisation::none;
    auto const name = io::json_is<bool>(*value)  // of early versions
                          ? std::string(io::value_of<bool>(*value) ? "expected_average_only_in" : "none")
                          : io::field<std::string>(root, "normalize_activations", where);
    if (name == "none") return sae_normalisation::none;
    if (name == "constant_norm_rescale") return sae_normalisation::constant_norm;
    if (name == "layer_norm") return sae_normalisation::layer_norm;
    if (name == "expected_average_only_in") {
        notes.push_back(
            concat({where,
                    ": it was trained on activations times a constant that is not folded into its weights, and the "
                    "files do not tell it: activations go in as they are, as in SAELens. Fold it with SAELens "
                    "(sae.fold_activation_norm_scaling_factor(c), or SAE.from_pretrained(RELEASE, ID)) and save_model "
                    "again"}));
        return sae_normalisation::none;
    }
    throw config_error(where, ": normalize_activations ", io::printable(name),
                       " is not supported: fold it into the weights with SAELens and save again");
}

/// The facts about the model and the texts of the training, in `metadata` or, before version 6, beside the others.
inline void read_sae_training(io::json const& says, std::string const& where, sae_config& config) {
    config.site = io::field_or<std::string>(says, "hook_point", "", where);
    config.site = io::field_or<std::string>(says, "hook_name", config.site, where);
    for (auto const* const key : {"hook_name_out", "hook_point_out"}) {
        auto const out = io::optional_field<std::string>(says, key, where);
        if (!out || *out == config.site) continue;
        throw config_error(where, ": it is a transcoder: it reads ", io::printable(config.site), " and writes ",
                           io::printable(*out), "; give a sparse autoencoder of one site");
    }
    for (auto const* const key : {"hook_head_index", "hook_point_head_index"}) {
        if (io::find_field(says, key) == nullptr) continue;
        throw config_error(where, ": it was trained on one head (", key,
                           "), which is not supported: give a sparse "
                           "autoencoder of a whole site");
    }
    config.prepend_bos = io::optional_field<bool>(says, "prepend_bos", where);
    config.context_size = io::field_or<index>(says, "context_size", 0, where);
    config.centred_model = io::field_or<bool>(says, "center_writing_weights", false, where);
    for (auto const* const key : {"model_from_pretrained_kwargs", "model_kwargs"}) {
        auto const* const loaded = io::find_field(says, key);
        if (loaded == nullptr || !loaded->is_object()) continue;
        config.centred_model |= io::field_or<bool>(*loaded, "center_writing_weights", false, where);
        if (!io::field_or<bool>(*loaded, "fold_value_biases", false, where)) continue;
        config.notes.push_back(concat({where,
                                       ": its model was loaded with fold_value_biases: at hook_v and hook_z "
                                       "activations have no value bias there, and here they do"}));
    }
}

}  // namespace detail

/// @param where  the file, for messages
/// @throws config_error on a field that is missing, of the wrong kind or out of range, and on whatever changes the
/// numbers and is not supported
/// @post `expected_average_only_in` counts as none, as in SAELens, which folds its factor into the weights when it is
/// known; a note says so
inline sae_config read_sae_config(io::json const& root, std::string const& where) {
    if (!root.is_object())
        throw config_error(where, ": the configuration must be an object, found ", io::describe(root));
    sae_config config;
    config.width = io::field<index>(root, "d_in", where);
    config.features = io::field<index>(root, "d_sae", where);
    detail::require_sae_size(config, where);
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
        detail::require_k(config, where);
        config.rescales_by_decoder_norm = io::field_or<bool>(root, "rescale_acts_by_decoder_norm", false, where);
    }
    config.normalisation = detail::sae_normalisation_of(root, where, config.notes);
    config.centres_on_decoder_bias = io::field_or<bool>(root, "apply_b_dec_to_input", true, where);
    if (io::field_or<bool>(root, "finetuning_scaling_factor", false, where)) {
        throw config_error(where,
                           ": finetuning_scaling_factor is not supported: fold it into the decoder and save again");
    }
    auto const* const metadata = io::find_field(root, "metadata");
    bool const is_apart = metadata != nullptr && metadata->is_object();
    detail::read_sae_training(is_apart ? *metadata : root, where, config);
    if (!is_apart && !config.prepend_bos) config.prepend_bos = true;  // the default before version 6
    return config;
}

}  // namespace plateau::sae
