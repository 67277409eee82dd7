#pragma once
/// A model from a file, a baseline's weights or arrays of your own, on the backend that is asked for.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include <plateau/backend/backends.hpp>
#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/engine/derivatives.hpp>
#include <plateau/models/assemble.hpp>
#include <plateau/models/open.hpp>
#include <plateau/models/weights.hpp>

namespace plateau {

using models::within;

struct load_options {
    backend::request backend = {};  ///< what computes, with how many threads
    plateau::weights weights = weights::stored;
    std::uint64_t seed = 0;  ///< of a baseline
    bool bf16 = false;       ///< matrices and their inputs are rounded to bfloat16 (T = float)
    models::memory_limit memory =
        {};  ///< layers of a model that does not fit take turns; by default it is not looked at
};

/// A model of given tensors: those of a checkpoint, a baseline's, or arrays of your own. @param texts  with its
/// configuration
/// @param meanwhile  something else to do, on one of the threads
/// @param memory     where layers take turns, `tensors` belong to its source
/// @throws config_error on a family that is not known, file_error on tensors that do not fit, memory_error
template <class T, class Context>
PLATEAU_RARE model<T> assemble(
    std::shared_ptr<Context const> ctx, models::model_texts texts, models::tensor_source<T> const& tensors,
    bool bf16 = false, function_ref<void(models::model_texts&)> meanwhile = [](models::model_texts&) {},
    models::memory_use const& memory = {}) {
    std::string notices;
    auto transformer = models::assemble<Context, T>(
        *ctx, texts.config, tensors, bf16 ? dtype::bf16 : dtype_of<T>, [&] { meanwhile(texts); }, &notices, memory);
    texts.notices += notices;
    if constexpr (engine::known_by_type<Context>) {
        return model<T>{std::move(ctx), std::move(transformer), std::move(texts)};
    } else {
        return differentiable(std::move(ctx), std::move(transformer), std::move(texts));
    }
}

/// As load, on a backend that other models may have too: they share its threads, or its device.
/// @param options  its `backend` is not read
template <class T, class Context>
PLATEAU_RARE model<T> load_on(std::shared_ptr<Context const> ctx, std::filesystem::path const& path,
                              load_options const& options = {}) {
    struct opened_source {  // lives as long as weights are read from it
        opened_source(std::filesystem::path const& path, load_options const& options)
            : opened{models::open<T>(path, options.weights.need_tensors())}, tensors{options.weights.of(
                                                                                 opened, options.seed)} {}
        models::checkpoint<T> opened;
        std::shared_ptr<models::tensor_source<T> const> tensors;
    };
    auto const source = shared<opened_source const>(path, options);
    models::model_texts texts;
    texts.config = source->opened.config;
    texts.notices = source->opened.notices;
    return assemble<T>(std::move(ctx), std::move(texts), *source->tensors, options.bf16,
                       [&](models::model_texts& into) { into.take_tokenizer(source->opened.tokenizer); },
                       {options.memory, source});
}

/// Loads a Hugging Face directory (config.json with safetensors; snapshot folders of its cache too) or a GGUF file.
/// @throws file_error, config_error, numeric_error (weights that are not finite), memory_error; usage_error and
///         device_error where the backend is not there
template <class T>
model<T> load(std::filesystem::path const& path, load_options const& options = {}) {
    return backend::with_context(options.backend, [&](auto const& ctx) { return load_on<T>(ctx, path, options); });
}

PLATEAU_COMPILED_FUNCTION(assemble, backend::cpu_context);
PLATEAU_COMPILED_FUNCTION(load_on, backend::cpu_context);
PLATEAU_COMPILED_FUNCTION(load);

}  // namespace plateau
