#pragma once
/// Sources of sparse autoencoders: the folders of each project, with configuration, names and layout of tensors.

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/sae/sae_config.hpp>
#include <plateau/sae/sae_site.hpp>
#include <plateau/sae/sae_tensors.hpp>

namespace plateau::sae {

/// How tensors are called and lie. Those that an architecture does not have are not read.
struct sae_layout {
    std::string encoder = "W_enc", decoder = "W_dec", decoder_bias = "b_dec";
    std::string encoder_bias = "b_enc";  ///< of gated that of the magnitudes
    std::string gate_bias = "b_gate", magnitude_scale = "r_mag", threshold = "threshold";
    std::string_view spare = "";      ///< tensors that may be there and are not read, each between spaces
    bool encoder_by_outputs = false;  ///< [F, D], else [D, F]
    bool decoder_by_inputs = false;   ///< [D, F], else [F, D]
    bool one_threshold = false;       ///< a scalar for all features
    bool unit_decoder = false;        ///< decoder rows get length 1, and features what they lose
    double input_factor = 1;          ///< what inputs are multiplied by; folded into the weights
};

struct sae_source {
    sae_config config;
    std::filesystem::path weights;
    std::string told_by;  ///< the file that tells the sizes
    sae_layout layout = {};

    sae_tensors open() const { return {weights, told_by}; }
};

namespace detail {

inline bool is_file(std::filesystem::path const& path) {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path, ignored);
}

/// The last part of a path that begins so, or that has it within; or nothing.
inline std::string part_of(std::filesystem::path const& folder, std::string_view text, bool within = false) {
    std::string found;
    for (auto const& part : std::filesystem::absolute(folder).lexically_normal()) {
        auto const name = part.string();
        if (name.starts_with(text) || (within && name.find(text) != std::string::npos)) found = name;
    }
    return found;
}

/// cfg.json and sae_weights.safetensors. A checkpoint of a training also has activation_scaler.json, whose factor
/// `fold_activation_norm_scaling_factor` takes into the weights when the training ends.
inline sae_source saelens_source(std::filesystem::path const& folder) {
    auto const file = folder / "cfg.json", scaler = folder / "activation_scaler.json";
    auto const document = io::parse_json(io::read_text(file), file.string());
    sae_source source{read_sae_config(document.root(), file.string()), folder / "sae_weights.safetensors", "cfg.json"};
    source.layout.spare = " scaling_factor ";
    if (source.config.architecture == sae_architecture::gated) source.layout.encoder_bias = "b_mag";
    auto& notes = source.config.notes;
    auto const unfolded = io::find_field(document.root(), "normalize_activations");
    if (unfolded == nullptr || !unfolded->is_string() || io::text_of(*unfolded) != "expected_average_only_in" ||
        !is_file(scaler))
        return source;
    auto const scaling = io::parse_json(io::read_text(scaler), scaler.string());
    auto const factor = io::optional_field<double>(scaling.root(), "scaling_factor", scaler.string());
    if (!factor) return source;
    if (!(*factor > 0)) throw config_error(scaler.string(), ": scaling_factor must be positive");
    source.layout.input_factor = *factor;
    std::erase_if(notes, [](auto const& note) { return note.find("is not folded into") != std::string::npos; });
    return source;
}

/// cfg.json and sae.safetensors. Inputs less b_dec, ReLU, then the k largest or the largest of each of k groups. The
/// folder is called as the module of transformers whose output it was trained on.
/// @see SparseCoder of sparsify 1.3 (encode, fused_encoder)
inline sae_source sparsify_source(std::filesystem::path const& folder) {
    auto const file = folder / "cfg.json";
    auto const where = file.string();
    auto const document = io::parse_json(io::read_text(file), where);
    auto const& root = document.root();
    sae_source source{{}, folder / "sae.safetensors", "cfg.json"};
    auto& config = source.config;
    for (auto const& [key, what] : {std::pair{"transcode", "a transcoder, which reads one site and writes another"},
                                    std::pair{"skip_connection", "one with a skip connection"},
                                    std::pair{"signed", "one whose features may be negative"}}) {
        if (io::field_or<bool>(root, key, false, where))
            throw config_error(where, ": it is ", what, " (", key, "): give a sparse autoencoder of one site");
    }
    config.width = io::field<index>(root, "d_in", where);
    config.features = io::field_or<index>(root, "num_latents", 0, where);
    if (config.features == 0) {
        auto const factor = io::field<index>(root, "expansion_factor", where);
        if (factor < 1 || config.width < 1 || factor > (index{1} << 40) / config.width)
            throw config_error(where, ": d_in and expansion_factor must be positive, found ", config.width, " and ",
                               factor);
        config.features = factor * config.width;
    }
    require_sae_size(config, where);
    config.k = io::field<index>(root, "k", where);
    auto const activation = io::field_or<std::string>(root, "activation", "topk", where);
    config.architecture = activation == "groupmax" ? sae_architecture::groupmax : sae_architecture::topk;
    if (activation != "topk" && activation != "groupmax")
        throw config_error(where, ": activation ", io::printable(activation),
                           " is not supported; there are topk and groupmax");
    require_k(config, where);
    config.site = std::filesystem::absolute(folder / "").lexically_normal().parent_path().filename().string();
    if (hook_point_of(config.site) == config.site) {  // a folder that was renamed
        config.notes.push_back(concat({folder.string(),
                                       ": its folder is not called as a module (layers.3, "
                                       "layers.3.mlp), so that where it was trained is not known"}));
        config.site.clear();
    }
    source.layout = {.encoder = "encoder.weight", .encoder_bias = "encoder.bias", .encoder_by_outputs = true};
    return source;
}

/// config.json and ae.safetensors, which ae.pt is converted to. @see load_dictionary of dictionary_learning 0.1
inline sae_source dictionary_source(std::filesystem::path const& folder) {
    auto const file = folder / "config.json";
    auto const where = file.string();
    auto const document = io::parse_json(io::read_text(file), where);
    auto const& trainer = io::object_field(document.root(), "trainer", where);
    auto const converted = folder / "ae.safetensors";
    sae_source source{{}, is_file(converted) ? converted : folder / "ae.pt", "config.json"};
    auto& config = source.config;
    auto& layout = source.layout;
    config.width = io::field<index>(trainer, "activation_dim", where);
    config.features = io::field<index>(trainer, "dict_size", where);
    require_sae_size(config, where);
    auto const kind = io::field<std::string>(trainer, "dict_class", where);
    bool const own_matrices = kind == "JumpReluAutoEncoder" || kind == "MatryoshkaBatchTopKSAE";
    if (!own_matrices) {
        layout = {.encoder = "encoder.weight", .decoder = "decoder.weight", .encoder_bias = "encoder.bias"};
        layout.encoder_by_outputs = layout.decoder_by_inputs = true;
    }
    if (kind == "AutoEncoder") {
        layout.decoder_bias = "bias";
        layout.unit_decoder = true;
    } else if (kind == "AutoEncoderNew") {
        layout.decoder_bias = "decoder.bias";
        config.centres_on_decoder_bias = false;
    } else if (kind == "GatedAutoEncoder") {
        config.architecture = sae_architecture::gated;
        layout.decoder_bias = "decoder_bias", layout.encoder_bias = "mag_bias", layout.gate_bias = "gate_bias";
    } else if (kind == "AutoEncoderTopK") {
        config.architecture = sae_architecture::topk;
        config.k = io::field<index>(trainer, "k", where);
        require_k(config, where);
        layout.spare = " k threshold ";
    } else if (kind == "BatchTopKSAE" || kind == "MatryoshkaBatchTopKSAE") {
        config.architecture = sae_architecture::jumprelu;  // with the threshold that the training has estimated
        layout.one_threshold = true;
        layout.spare = " k group_sizes ";
    } else if (kind == "JumpReluAutoEncoder") {
        config.architecture = sae_architecture::jumprelu;
        config.centres_on_decoder_bias = false;
    } else {
        throw config_error(where, ": dict_class ", io::printable(kind),
                           " is not supported; there are AutoEncoder, AutoEncoderNew, GatedAutoEncoder, "
                           "JumpReluAutoEncoder, AutoEncoderTopK, BatchTopKSAE and MatryoshkaBatchTopKSAE");
    }
    auto const layer = io::optional_field<index>(trainer, "layer", where);
    auto const module = io::field_or<std::string>(trainer, "submodule_name", "resid_post", where);
    auto const* const end = module.starts_with("resid_post") ? ".hook_resid_post"
                            : module.starts_with("mlp")      ? ".hook_mlp_out"
                            : module.starts_with("att")      ? ".hook_attn_out"
                                                             : nullptr;
    if (layer && end != nullptr) {
        config.site = concat({"blocks.", *layer, end});
    } else {
        config.notes.push_back(concat({where, ": layer and submodule_name do not say where it was trained"}));
    }
    auto const* const buffer = io::find_field(document.root(), "buffer");
    if (buffer != nullptr && buffer->is_object())
        config.context_size = io::field_or<index>(*buffer, "ctx_len", 0, where);
    return source;
}

/// Gemma Scope: params.npz in layer_20/width_16k/average_l0_71. Gemma Scope 2: config.json and params.safetensors in
/// resid_post/layer_20_width_16k_l0_medium. Trained on texts of 1024 tokens that begin with BOS.
/// @see Lieberum et al. 2024; gemma_2_sae_huggingface_loader of SAELens 6
inline sae_source gemma_scope_source(std::filesystem::path const& folder, std::filesystem::path weights) {
    auto const where = weights.string();
    sae_source source{{}, std::move(weights), "W_enc"};
    auto& config = source.config;
    config.architecture = sae_architecture::jumprelu;
    config.centres_on_decoder_bias = false;
    config.prepend_bos = true;
    config.context_size = 1024;
    std::string kind = part_of(folder, "gemma-scope-", true);
    for (std::string_view const name : {"resid_post", "mlp_out", "attn_out", "transcoder", "crosscoder", "clt"})
        kind += "/" + part_of(folder, name);
    auto const is = [&](std::string_view what) { return kind.find(what) != std::string::npos; };
    for (std::string_view const name : {"transcoder", "crosscoder", "clt"}) {
        if (is(name)) {
            throw config_error(where, ": its folder says ", name,
                               ", which reads one site and writes others: give a "
                               "sparse autoencoder of one site");
        }
    }
    if (!part_of(folder, "embedding").empty()) {
        throw config_error(where,
                           ": an autoencoder of embeddings, whose scale is another there: save it with SAELens "
                           "(SAE.from_pretrained(RELEASE, ID).save_model(FOLDER)) and give that folder");
    }
    auto const layer = part_of(folder, "layer_");
    std::string_view rest = layer;
    int const block = take_number(rest, "layer_");
    auto const* const end = is("mlp") ? ".hook_mlp_out" : is("att") ? ".attn.hook_z" : ".hook_resid_post";
    if (block >= 0) config.site = concat({"blocks.", block, end});
    if (block < 0) {
        config.notes.push_back(concat({where,
                                       ": its folder names no layer (layer_20/width_16k/average_l0_71), so that "
                                       "where it was trained is not known"}));
    } else if (!is("res") && !is("mlp") && !is("att")) {
        config.notes.push_back(concat({where,
                                       ": its folders do not say whether it is of the residual stream, of "
                                       "attention or of MLPs: taken to be of ",
                                       config.site}));
    }
    auto const tensors = source.open();
    if (tensors.contains("w_enc")) source.layout.encoder = "w_enc", source.layout.decoder = "w_dec";
    if (!tensors.contains(source.layout.encoder)) tensors.require("W_enc", {});
    auto const shape = tensors.shape(source.layout.encoder);
    if (shape.size() != 2)
        throw file_error(where, ": ", source.layout.encoder, " must be a matrix, inputs by features");
    config.width = shape[0], config.features = shape[1];
    require_sae_size(config, where);
    return source;
}

}  // namespace detail

/// What a folder holds, by the names of its files.
/// @throws file_error that lists what is known; config_error, and as its reader, on what changes the numbers and is not
/// supported
inline sae_source find_sae(std::filesystem::path const& folder) {
    auto const has = [&](char const* name) { return detail::is_file(folder / name); };
    if (has("cfg.json") && has("sae_weights.safetensors")) return detail::saelens_source(folder);
    if (has("cfg.json") && has("sae.safetensors")) return detail::sparsify_source(folder);
    for (auto const* const name : {"params.npz", "params.safetensors"}) {
        if (has(name)) return detail::gemma_scope_source(folder, folder / name);
    }
    if (has("config.json") && (has("ae.pt") || has("ae.safetensors"))) return detail::dictionary_source(folder);
    if (auto const at = folder.lexically_normal(); detail::is_file(at)) {
        auto const parent = at.has_parent_path() ? at.parent_path().string() : ".";
        throw file_error(at.string(),
                         ": this is a file; give the folder that holds it and its configuration: ", parent);
    }
    // a repository, whose folders hold one autoencoder each
    std::error_code ignored;
    std::string found;
    int count = 0;
    for (auto const& entry : std::filesystem::directory_iterator(folder, ignored)) {
        for (auto const* const name : {"sae_weights.safetensors", "sae.safetensors", "params.npz", "params.safetensors",
                                       "ae.pt", "ae.safetensors"}) {
            if (!detail::is_file(entry.path() / name)) continue;
            if (++count == 1 || entry.path().string() < found) found = entry.path().string();
            break;
        }
    }
    if (count > 0) {
        throw file_error(folder.string(),
                         count > 1 ? ": it holds several sparse autoencoders; give the folder of one, such as "
                                   : ": it holds a sparse autoencoder a level down; give ",
                         found);
    }
    auto const beside = has("cfg.json") ? "sae_weights.safetensors" : "cfg.json";
    throw file_error((folder / beside).string(),
                     ": there is no such file; give a folder that SAELens' save_model has written: cfg.json and "
                     "sae_weights.safetensors; or one of sparsify (cfg.json, sae.safetensors), of Gemma Scope "
                     "(params.npz or params.safetensors), or of dictionary_learning (config.json, ae.safetensors)");
}

}  // namespace plateau::sae
