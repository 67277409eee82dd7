#pragma once
/// Bodies of io/tokenizer/gguf.hpp.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/gguf.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

namespace detail {

/// tokenizer.ggml.pre as llama.cpp groups them, with what the published tokenizers do besides. "default" is left out on
/// purpose: converters write it when they do not know, and llama.cpp then cuts words as no published tokenizer does.
PLATEAU_INLINE void apply_gguf_pretokenizer(std::string_view name, tokenizer_spec& spec) {
    auto const is_one_of = [&](std::initializer_list<std::string_view> names) {
        for (auto known : names) {
            if (name == known) return true;
        }
        return false;
    };
    auto const split = [&](std::string_view pattern) {
        add_step(spec.words, text_step::action::split_at_pattern, pcre_of_oniguruma(pattern, spec.where));
    };
    bool const llama3 = is_one_of({"llama3", "llama-v3", "llama-bpe"}), qwen2 = is_one_of({"qwen2"});
    bool const digits = is_one_of({"smollm", "starcoder"});
    if (llama3 || qwen2) {
        split(concat({R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})", llama3 ? "{1,3}" : "",
                      R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}));
        spec.model.whole_words = llama3;
        if (qwen2) add_step(spec.normal, text_step::action::nfc);
    } else if (digits || is_one_of({"gpt-2", "phi-2"})) {
        if (digits) split(R"(\p{N})");
        split(gpt2_words);
    } else {
        throw config_error(spec.where, ": the pre-tokenizer ", printable(name),
                           " (\"tokenizer.ggml.pre\") is not "
                           "supported; supported are gpt-2, phi-2, smollm, starcoder, llama-bpe and qwen2. Give token "
                           "ids instead of text");
    }
    add_step(spec.decoding, text_step::action::byte_letters);
}

}  // namespace detail

PLATEAU_INLINE tokenizer_spec parse_gguf_tokenizer(gguf_file const& file) {
    auto const& metadata = file.metadata();
    std::string const where = file.path().string();
    auto const require = [&](char const* key) {
        if (metadata.contains(key)) return;
        throw config_error(where, ": the metadata key \"", key, "\" is missing: the file has no tokenizer");
    };
    require("tokenizer.ggml.model");
    auto const model = *metadata.text("tokenizer.ggml.model");
    if (model != "gpt2") {
        throw config_error(where, ": the tokenizer ", printable(model),
                           " (\"tokenizer.ggml.model\") is not "
                           "supported; supported is gpt2. Give token ids instead of text");
    }
    tokenizer_spec spec;
    spec.where = where;
    detail::apply_gguf_pretokenizer(metadata.text("tokenizer.ggml.pre").value_or(""), spec);
    if (metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(false)) {
        auto const words = spec.words.back();
        spec.words.pop_back();
        add_step(spec.words, text_step::action::prefix, " ");
        add_step(spec.words, words.what, words.text);
    }

    require("tokenizer.ggml.tokens");
    auto const tokens = metadata.texts("tokenizer.ggml.tokens");
    auto const types = metadata.integers("tokenizer.ggml.token_type");
    bool const typed = metadata.contains("tokenizer.ggml.token_type");
    if (typed && types.size() != tokens.size()) {
        throw config_error(where, ": there are ", tokens.size(), " tokens, but ", types.size(),
                           " values in \"tokenizer.ggml.token_type\"");
    }
    constexpr index control = 3;
    constexpr index user_defined = 4;
    spec.tokens.reserve(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        auto const id = static_cast<token_id>(i);
        if (typed && (types[i] == control || types[i] == user_defined)) {
            added_token token;
            token.id = id;
            token.content = tokens[i];
            token.special = types[i] == control;
            spec.added.push_back(std::move(token));
        }
        spec.tokens.push_back({std::string{tokens[i]}, id});
    }
    require("tokenizer.ggml.merges");
    for (auto const merge : metadata.texts("tokenizer.ggml.merges")) {
        std::string left, right;
        if (!split_merge(merge, left, right)) {
            throw config_error(where, ": a merge must be two tokens, found ", printable(merge));
        }
        spec.merges.emplace_back(std::move(left), std::move(right));
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
        throw config_error(where, ": \"tokenizer.ggml.add_bos_token\" is set, but there is no bos token");
    }
    if (metadata.boolean("tokenizer.ggml.add_eos_token").value_or(false)) {
        throw config_error(where,
                           ": \"tokenizer.ggml.add_eos_token\" is not supported; give token ids instead of text");
    }
    return spec;
}

}  // namespace plateau::io
