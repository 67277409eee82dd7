#pragma once
/// The tokenizer in the metadata of a GGUF file.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer_spec.hpp>

namespace plateau::io {

/// Reads a byte-level BPE tokenizer: tokenizer.ggml.model "gpt2" whose tokenizer.ggml.pre names a way to
/// cut words that is that of GPT-2 or of SmolLM2. Control and user-defined tokens become added tokens.
/// @throws config_error naming the key: absent, of another type or length, or a value that is not supported
tokenizer_spec parse_gguf_tokenizer(gguf_file const& file);

namespace detail {

/// tokenizer.ggml.pre as llama.cpp groups them. "default" is left out on purpose: converters write it when
/// they do not know, and llama.cpp then cuts words in a way that no published tokenizer has.
[[gnu::cold]] inline pretokenizer_options gguf_pretokenizer(std::string_view name, std::string const& where) {
    constexpr std::array<std::string_view, 2> like_gpt2{"gpt-2", "phi-2"};
    constexpr std::array<std::string_view, 2> like_smollm{"smollm", "starcoder"};
    for (auto known : like_gpt2) {
        if (name == known) return {digit_split::none, false, true};
    }
    for (auto known : like_smollm) {
        if (name == known) return {digit_split::each, false, true};
    }
    throw config_error{where, ": the pre-tokenizer ", printable(name), " (\"tokenizer.ggml.pre\") is not supported; "
                       "supported are gpt-2, phi-2, smollm and starcoder. Give token ids instead of text"};
}

}  // namespace detail

inline tokenizer_spec parse_gguf_tokenizer(gguf_file const& file) {
    auto const& metadata = file.metadata();
    std::string const where = file.path().string();
    auto const required = [&](auto value, char const* key) {
        if (!value)
            throw config_error{where, ": the metadata key \"", key, "\" is missing: the file has no tokenizer"};
        return *std::move(value);
    };
    auto const model = required(metadata.text("tokenizer.ggml.model"), "tokenizer.ggml.model");
    if (model != "gpt2") {
        throw config_error{where, ": the tokenizer ", printable(model), " (\"tokenizer.ggml.model\") is not "
                           "supported; supported is gpt2. Give token ids instead of text"};
    }
    tokenizer_spec spec;
    spec.where = where;
    spec.words = detail::gguf_pretokenizer(metadata.text("tokenizer.ggml.pre").value_or(""), where);
    spec.words.prefix_space = metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(false);

    auto const tokens = required(metadata.texts("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
    auto const types = metadata.integers("tokenizer.ggml.token_type");
    if (types && types->size() != tokens.size()) {
        throw config_error{where, ": there are ", tokens.size(), " tokens, but ", types->size(),
                           " values in \"tokenizer.ggml.token_type\""};
    }
    constexpr index control = 3;
    constexpr index user_defined = 4;
    spec.tokens.reserve(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        auto const id = static_cast<token_id>(i);
        if (types && ((*types)[i] == control || (*types)[i] == user_defined)) {
            added_token token;
            token.id = id;
            token.content = tokens[i];
            spec.added.push_back(std::move(token));
        }
        spec.tokens.emplace_back(tokens[i], id);
    }
    for (auto const merge : required(metadata.texts("tokenizer.ggml.merges"), "tokenizer.ggml.merges")) {
        auto const space = merge.find(' ');
        if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos) {
            throw config_error{where, ": a merge must be two tokens, found ", printable(merge)};
        }
        spec.merges.emplace_back(merge.substr(0, space), merge.substr(space + 1));
    }
    auto const id_of = [&](std::string const& key) -> std::optional<token_id> {
        auto const id = metadata.integer(key);
        if (!id || *id < 0 || *id >= static_cast<index>(tokens.size())) return std::nullopt;
        return static_cast<token_id>(*id);
    };
    spec.bos = id_of("tokenizer.ggml.bos_token_id");
    spec.eos = id_of("tokenizer.ggml.eos_token_id");
    spec.adds_bos = metadata.boolean("tokenizer.ggml.add_bos_token").value_or(false);
    if (spec.adds_bos && !spec.bos) {
        throw config_error{where, ": \"tokenizer.ggml.add_bos_token\" is set, but there is no bos token"};
    }
    if (metadata.boolean("tokenizer.ggml.add_eos_token").value_or(false)) {
        throw config_error{where,
                           ": \"tokenizer.ggml.add_eos_token\" is not supported; give token ids instead of text"};
    }
    return spec;
}

}  // namespace plateau::io
