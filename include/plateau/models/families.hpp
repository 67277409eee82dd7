#pragma once
/// The table of families: how a model_type's weights become a transformer.

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include <plateau/models/families/gpt2.hpp>
#include <plateau/models/families/llama.hpp>

namespace plateau::models {

/// A family: its model_type and the function that assembles its weights. Another family is a header beside
/// families/llama.hpp and a row here (its configuration is read in io/config/, likewise).
template <class Context, class T>
struct family {
    std::string_view model_type;
    transformer<Context, T> (*assemble)(io::model_config const&, weight_loader<Context, T>&);
};

template <class Context, class T>
inline constexpr std::array families_of{
    family<Context, T>{"gpt2", families::assemble_gpt2<Context, T>},
    family<Context, T>{"llama", families::assemble_llama<Context, T>},
    family<Context, T>{"qwen2", families::assemble_llama<Context, T>},
};

/// The weights of `source` as a transformer.
/// @param storage  bf16 keeps matrices in bfloat16 (T = float)
/// @param beside   something else to do meanwhile, on one of the threads
/// @throws config_error on a family without a row, file_error on weights that do not fit
template <class Context, class T>
[[gnu::cold]] transformer<Context, T> assemble(Context const& ctx, io::model_config const& config, tensor_source<T> const& source,
                                 dtype storage, std::function<void()> const& beside) {
    for (auto const& row : families_of<Context, T>) {
        if (row.model_type != config.model_type) continue;
        weight_loader<Context, T> loader{source, storage};
        auto model = row.assemble(config, loader);
        loader.fill(ctx.threads(), beside);
        return model;
    }
    throw config_error{source.where(), ": no weights are known for model_type '", config.model_type, "'"};
}

}  // namespace plateau::models
