#pragma once
/// A model as published: configuration, weights and tokenizer from a directory or a file.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/io/gguf_checkpoint.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/models/assemble.hpp>

namespace plateau::models {

/// A transformer with what came along with it.
template <class Context, class T>
struct language_model : transformer<Context, T> {
    io::model_config config;
    std::shared_ptr<io::tokenizer const> tokenizer;  ///< null if the checkpoint has none that is supported
    std::string tokenizer_problem;                   ///< why it is null

    /// @throws file_error that says why there is no tokenizer
    io::tokenizer const& require_tokenizer() const {
        if (!tokenizer) throw file_error(tokenizer_problem, "; give token ids instead of text");
        return *tokenizer;
    }

    /// Token ids of a text, without a beginning-of-text token. @throws file_error without a tokenizer
    std::vector<token_id> tokenize(std::string_view text) const { return require_tokenizer().encode(text); }

    /// The beginning-of-text token, of the tokenizer or else of the configuration.
    std::optional<token_id> bos() const {
        if (tokenizer && tokenizer->bos()) return tokenizer->bos();
        return config.bos.empty() ? std::nullopt : std::optional{config.bos.front()};
    }
};

namespace detail {

/// The tokenizer, or null and why.
[[gnu::cold]] inline std::shared_ptr<io::tokenizer const> try_tokenizer(std::function<io::tokenizer()> const& make,
                                                                        std::string& problem) {
    try {
        return std::make_shared<io::tokenizer const>(make());
    } catch (error const& reason) {  // a model without text is still a model: the reason is kept for whoever asks
        problem = reason.what();
        return nullptr;
    }
}

}  // namespace detail

/// As load(), with the weights that `through` makes of those in the file.
/// @param through  called with the configuration and the stored tensors; calls its third argument with those to take
template <class T, class Context, class Through>
[[gnu::cold]] language_model<Context, T> load_through(std::filesystem::path const& path, Context const& ctx,
                                                      dtype storage, Through const& through) {
    if (!std::filesystem::exists(path)) {
        throw file_error("there is no model at ", path.string(), ": give a Hugging Face folder or a GGUF file");
    }
    language_model<Context, T> model;
    auto const take = [&](tensor_source<T> const& source, std::function<io::tokenizer()> const& make_tokenizer) {
        through(model.config, source, [&](tensor_source<T> const& taken) {
            static_cast<transformer<Context, T>&>(model) = assemble<Context, T>(ctx, model.config, taken, storage, [&] {
                model.tokenizer = detail::try_tokenizer(make_tokenizer, model.tokenizer_problem);
            });
        });
    };
    if (!std::filesystem::is_directory(path)) {
        io::gguf_checkpoint const checkpoint{path};
        model.config = checkpoint.config();
        take(source_of<io::gguf_checkpoint, T>{checkpoint, path.string()},
             [&] { return io::tokenizer::from_gguf(checkpoint.file()); });
    } else {
        auto const config = path / "config.json";
        model.config = parse_model_config(io::read_text(config), config.string());
        io::safetensors_checkpoint const checkpoint{path};
        take(source_of<io::safetensors_checkpoint, T>{checkpoint, path.string()},
             [&] { return io::tokenizer::from_json_file(path / "tokenizer.json"); });
    }
    return model;
}

/// Loads a Hugging Face directory (config.json with safetensors; snapshot folders of its cache too) or a GGUF file.
/// @param storage  f32 or f64 as T, or bf16: matrices and their inputs are rounded to bfloat16 (T = float)
/// @throws file_error, config_error, numeric_error (weights that are not finite), memory_error
template <class T, class Context>
[[gnu::cold]] language_model<Context, T> load(std::filesystem::path const& path, Context const& ctx,
                                              dtype storage = dtype_of<T>) {
    return load_through<T>(path, ctx, storage,
                           [](auto const&, tensor_source<T> const& stored, auto const& take) { take(stored); });
}

}  // namespace plateau::models
