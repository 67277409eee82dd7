#pragma once
/// Sparse autoencoders from SAELens' folders: cfg.json and sae_weights.safetensors.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/io/json_reader.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/safetensors_file.hpp>
#include <plateau/sae/sparse_autoencoder.hpp>

namespace plateau::sae {

namespace detail {

/// @throws file_error if the tensor is missing or has another shape
inline void require_tensor(io::safetensors_file const& file, std::string const& name, std::vector<index> const& shape) {
    if (!file.contains(name)) {
        throw file_error(file.path().string(), ": there is no tensor ", name,
                         ", which an autoencoder of this architecture has; is this cfg.json the file's own?");
    }
    if (file.info(name).shape == shape) return;
    throw file_error(file.path().string(), ": ", name, " has the shape ", io::to_string(file.info(name).shape),
                     ", cfg.json asks for ", io::to_string(shape));
}

template <class T>
tensor::buffer<T, 1> read_vector(io::safetensors_file const& file, std::string const& name, index size) {
    require_tensor(file, name, {size});
    tensor::buffer<T, 1> result({size});
    file.read(name, std::span<T>{result.data(), static_cast<std::size_t>(size)});
    return result;
}

}  // namespace detail

/// @param folder  with cfg.json and sae_weights.safetensors, as SAELens saves them; F32, F16, BF16 or F64
/// @throws file_error (missing, truncated, missing tensors, shapes), config_error, json errors; each names the file
template <class T, class Context>
sparse_autoencoder<Context, T> load_sae(std::filesystem::path const& folder, Context const& ctx) {
    auto const config_file = folder / "cfg.json", weight_file = folder / "sae_weights.safetensors";
    for (auto const& file : {config_file, weight_file}) {
        std::error_code ignored;
        if (std::filesystem::exists(file, ignored)) continue;
        throw file_error(file.string(),
                         ": there is no such file; give a folder that SAELens' save_model has written: cfg.json and "
                         "sae_weights.safetensors");
    }
    auto const document = io::parse_json(io::read_text(config_file), config_file.string());
    auto config = read_sae_config(document.root(), config_file.string());
    io::safetensors_file const file{weight_file};
    index const d = config.width, f = config.features;
    detail::require_tensor(file, "W_enc", {d, f});
    detail::require_tensor(file, "W_dec", {f, d});

    sae_weights<Context, T> weights;
    weights.encoder = typename Context::template weight<T>{ctx, f, d, dtype_of<T>};
    auto writer = weights.encoder.writer();
    index const step = 32 * +writer.input_step;
    tensor::buffer<T, 2> rows({std::min(step, d), f});
    for (index k = 0; k < d; k += step) {  // the file has inputs by outputs
        index const count = std::min(step, d - k);
        file.read_rows("W_enc", k, count, std::span<T>{rows.data(), static_cast<std::size_t>(count * f)});
        writer.inputs(k, tensor::view<T const, 2>{rows.data(), {count, f}});
    }
    weights.decoder = tensor::buffer<T, 2>({f, d});
    file.read("W_dec", std::span<T>{weights.decoder.data(), static_cast<std::size_t>(f * d)});
    weights.decoder_bias = detail::read_vector<T>(file, "b_dec", d);
    bool const gated = config.architecture == sae_architecture::gated;
    weights.encoder_bias = detail::read_vector<T>(file, gated ? "b_mag" : "b_enc", f);
    if (gated) {
        weights.gate_bias = detail::read_vector<T>(file, "b_gate", f);
        weights.magnitude_scale = detail::read_vector<T>(file, "r_mag", f);
    }
    if (config.architecture == sae_architecture::jumprelu)
        weights.threshold = detail::read_vector<T>(file, "threshold", f);
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
    auto const as_post = [](std::string const& name) -> std::string {
        auto const end = name.find(".hook_resid_pre");
        if (!name.starts_with("blocks.") || end == std::string::npos) return name;
        int const block = std::atoi(name.c_str() + 7);
        return block > 0 ? "blocks." + std::to_string(block - 1) + ".hook_resid_post" : name;
    };
    if (config.site.empty() || as_post(config.site) == as_post(site)) return;
    throw usage_error("the sparse autoencoder was trained at ", io::printable(config.site), ", not at ", site,
                      ": use it there");
}

}  // namespace plateau::sae
