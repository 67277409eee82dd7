#pragma once
/// Bodies of io/tokenizer/gguf.hpp.

#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/gguf.hpp>
#include <plateau/io/tokenizer/gguf_words.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/tokenizer/text_step.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

namespace detail {

/// Values of tokenizer.ggml.token_type.
enum gguf_token_type : index { gguf_normal = 1, gguf_unknown = 2, gguf_user_defined = 4 };

inline constexpr char const* gguf_way_out = "give the model's Hugging Face folder, or token ids instead of text";

PLATEAU_INLINE std::optional<token_id> gguf_token_id(gguf_metadata const& metadata, std::string_view key,
                                                     std::size_t tokens) {
    auto const id = metadata.integer(key);
    if (!id || *id < 0 || *id >= static_cast<index>(tokens)) return std::nullopt;
    return static_cast<token_id>(*id);
}

/// Spaces are "▁", and what no token spells is bytes. As the normalizers and decoders of Llama 2 and Gemma.
PLATEAU_INLINE void set_gguf_characters(tokenizer_spec& spec, bool prefix) {
    using action = text_step::action;
    constexpr char const* mark = "\xE2\x96\x81";
    if (prefix) add_step(spec.normal, action::prepend, mark);
    add_step(spec.normal, action::replace, " ", mark);
    spec.model.characters = spec.model.byte_fallback = spec.model.fuse_unknown = true;
    add_step(spec.decoding, action::replace, mark, " ");
    add_step(spec.decoding, action::byte_fallback);
    add_step(spec.decoding, action::fuse);
    if (prefix) add_step(spec.decoding, action::strip, " ").left = 1;
}

/// What a file without tokenizer.ggml.pre, or with "default", is seen to have: tokens by which a vocabulary is known.
PLATEAU_INLINE std::string_view seen_gguf_words(std::vector<std::string_view> const& tokens) {
    struct landmark {
        std::size_t id;
        std::string_view token, name;
    };
    constexpr landmark known[] = {{1, "<|padding|>", "olmo"},
                                  {50255, "\xC4\xA0gazed", "gpt-2"},
                                  {128000, "<|begin_of_text|>", "llama-bpe"},
                                  {151644, "<|im_start|>", "qwen2"}};
    for (auto const& [id, token, name] : known) {
        if (id < tokens.size() && tokens[id] == token) return name;
    }
    return {};
}

/// The way to cut words that the file names.
PLATEAU_INLINE void set_gguf_words(gguf_metadata const& metadata, std::string_view name, tokenizer_spec& spec) {
    auto const* const words = find_gguf_words(name);
    if (words == nullptr && (name.empty() || name == "default")) {
        throw config_error(spec.where, ": \"tokenizer.ggml.pre\" is ", name.empty() ? "missing" : "\"default\"",
                           ", so that the file does not tell how the model cuts words. If you know, write it into a "
                           "copy: gguf-new-metadata --pre-tokenizer NAME FILE COPY. Otherwise ",
                           gguf_way_out);
    }
    if (words == nullptr) {
        throw config_error(spec.where, ": the pre-tokenizer ", printable(name),
                           " (\"tokenizer.ggml.pre\") is not supported; ", gguf_way_out);
    }
    if (words->has(gguf_words::composes)) add_step(spec.normal, text_step::action::nfc);
    if (words->has(gguf_words::characters)) set_gguf_characters(spec, false);
    else add_step(spec.decoding, text_step::action::byte_letters);
    bool const prefix = !spec.model.characters && metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(false);
    for (std::size_t i = 0; i < std::size(words->patterns) && !words->patterns[i].empty(); ++i) {
        bool const last = i + 1 == std::size(words->patterns) || words->patterns[i + 1].empty();
        if (last && prefix) add_step(spec.words, text_step::action::prefix, " ");
        add_step(spec.words, text_step::action::split_at_pattern, pcre_of_oniguruma(words->patterns[i], spec.where));
    }
    spec.model.whole_words = words->has(gguf_words::keeps_whole);
    spec.adds_bos = words->has(gguf_words::adds_bos);
}

PLATEAU_INLINE void set_gguf_merges(gguf_metadata const& metadata, tokenizer_spec& spec) {
    for (auto const merge : metadata.texts("tokenizer.ggml.merges")) {
        std::string left, right;
        if (!split_merge(merge, left, right))
            throw config_error(spec.where, ": a merge must be two tokens, found ", printable(merge));
        spec.merges.emplace_back(std::move(left), std::move(right));
    }
}

/// Control tokens, user-defined ones and that for what is unknown (types 2 to 4) are looked for in the text before it
/// is cut. Returns the types.
PLATEAU_INLINE std::vector<index> set_gguf_tokens(gguf_metadata const& metadata,
                                                  std::vector<std::string_view> const& tokens, tokenizer_spec& spec) {
    auto types = metadata.integers("tokenizer.ggml.token_type");
    bool const typed = metadata.contains("tokenizer.ggml.token_type");
    if (typed && types.size() != tokens.size()) {
        throw config_error(spec.where, ": there are ", tokens.size(), " tokens, but ", types.size(),
                           " values in \"tokenizer.ggml.token_type\"");
    }
    spec.tokens.reserve(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        auto const id = static_cast<token_id>(i);
        if (typed && types[i] >= gguf_unknown && types[i] <= gguf_user_defined) {
            if (valid_utf8_prefix(tokens[i]) < tokens[i].size())  // it would be found within characters
                throw config_error(spec.where, ": the token ", id, " is not UTF-8");
            added_token token;
            token.id = id;
            token.content = tokens[i];
            token.special = types[i] != gguf_user_defined;
            spec.added.push_back(std::move(token));
        }
        spec.tokens.push_back({std::string{tokens[i]}, id});
    }
    return types;
}

/// Scores, or what stands for them where all are the same: merges, if the file has them too, or the ids, which are in
/// the order of the merges that the tokens came from.
PLATEAU_INLINE void set_gguf_scores(gguf_metadata const& metadata, std::vector<index> const& types,
                                    tokenizer_spec& spec) {
    spec.scores = metadata.numbers("tokenizer.ggml.scores");
    if (spec.scores.size() != spec.tokens.size()) {
        throw config_error(spec.where, ": there are ", spec.tokens.size(), " tokens, but ", spec.scores.size(),
                           " values in \"tokenizer.ggml.scores\"");
    }
    std::optional<double> first;
    for (std::size_t i = 0; i < spec.scores.size(); ++i) {
        bool const normal = types.empty() || types[i] == gguf_normal;
        if (!normal || first == spec.scores[i]) continue;
        if (first) return;
        first = spec.scores[i];
    }
    if (metadata.contains("tokenizer.ggml.merges")) {
        spec.scores.clear();
        return set_gguf_merges(metadata, spec);
    }
    for (std::size_t i = 0; i < spec.scores.size(); ++i) spec.scores[i] = -static_cast<double>(i);
}

/// SentencePiece: no words are cut out of a text, and texts begin with bos unless the file says otherwise.
PLATEAU_INLINE void set_gguf_sentencepiece(gguf_metadata const& metadata, tokenizer_spec& spec) {
    auto const refuse = [&](char const* key) {
        throw config_error(spec.where, ": \"", key, "\" is not supported for a SentencePiece vocabulary; ",
                           gguf_way_out);
    };
    constexpr char const* folds = "tokenizer.ggml.remove_extra_whitespaces";
    constexpr char const* map = "tokenizer.ggml.precompiled_charsmap";
    if (metadata.boolean(folds).value_or(false)) refuse(folds);
    if (!metadata.integers(map).empty()) refuse(map);
    set_gguf_characters(spec, metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true));
    spec.adds_bos = true;
}

/// What llama.cpp knows of published tokenizers and files do not tell: which added tokens take white space. It goes by
/// the model's name; that the converter may have spelt with spaces, so that the architecture tells Phi-3 here too.
PLATEAU_INLINE void set_gguf_strips(gguf_metadata const& metadata, bool sentencepiece, std::string_view words,
                                    tokenizer_spec& spec) {
    std::string name = metadata.text("general.name").value_or("");
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    auto const named = [&](char const* part) { return name.find(part) != std::string::npos; };
    bool const phi3 =
        named("phi-3") || named("phi3") || (sentencepiece && metadata.text("general.architecture") == "phi3");
    bool const jina = words == "jina-v2-de" || words == "jina-v2-es" || words == "jina-v2-code";
    for (auto& token : spec.added) {
        auto const& text = token.content;
        token.strip_right = phi3 && text != "<unk>" && text != "<s>" && text != "<|endoftext|>";
        token.strip_left = (jina && text == "<mask>") || (named("modern-bert") && text == "[MASK]");
    }
}

}  // namespace detail

PLATEAU_INLINE tokenizer_spec parse_gguf_tokenizer(gguf_file const& file) {
    auto const& metadata = file.metadata();
    tokenizer_spec spec;
    spec.where = file.path().string();
    auto const require = [&](char const* key) {
        if (metadata.contains(key)) return;
        throw config_error(spec.where, ": the metadata key \"", key, "\" is missing: the file has no tokenizer; ",
                           detail::gguf_way_out);
    };
    // which kind of vocabulary it is, if any
    require("tokenizer.ggml.model");
    auto const model = *metadata.text("tokenizer.ggml.model");
    if (model == "none" || model == "no_vocab")
        throw config_error(spec.where, ": the file has no vocabulary; ", detail::gguf_way_out);
    bool const sentencepiece = model == "llama", gemma4 = model == "gemma4";
    if (!sentencepiece && !gemma4 && model != "gpt2") {
        throw config_error(spec.where, ": the tokenizer ", printable(model),
                           " (\"tokenizer.ggml.model\") is not supported; supported are gpt2, llama and gemma4; ",
                           detail::gguf_way_out);
    }
    // how text is cut into words: by the name in the file, or by what the vocabulary visibly is
    require("tokenizer.ggml.tokens");
    auto const tokens = metadata.texts("tokenizer.ggml.tokens");
    auto const named = gemma4 ? model : metadata.text("tokenizer.ggml.pre").value_or("");
    auto const seen = named.empty() || named == "default" ? detail::seen_gguf_words(tokens) : std::string_view{};
    std::string_view const words = seen.empty() ? named : seen;
    if (sentencepiece) detail::set_gguf_sentencepiece(metadata, spec);
    else detail::set_gguf_words(metadata, words, spec);

    // tokens, and how they merge
    auto const types = detail::set_gguf_tokens(metadata, tokens, spec);
    require(sentencepiece ? "tokenizer.ggml.scores" : "tokenizer.ggml.merges");
    if (sentencepiece) detail::set_gguf_scores(metadata, types, spec);
    else detail::set_gguf_merges(metadata, spec);
    detail::set_gguf_strips(metadata, sentencepiece, words, spec);

    // ids with a part of their own; llama.cpp's defaults where the file is silent
    auto const id_of = [&](std::string_view key, token_id otherwise) -> std::optional<token_id> {
        if (!metadata.contains(key) && sentencepiece && static_cast<std::size_t>(otherwise) < tokens.size())
            return otherwise;
        return detail::gguf_token_id(metadata, key, tokens.size());
    };
    spec.bos = id_of("tokenizer.ggml.bos_token_id", 1);
    spec.eos = id_of("tokenizer.ggml.eos_token_id", 2);
    if (sentencepiece) spec.model.unknown = id_of("tokenizer.ggml.unknown_token_id", 0).value_or(no_token);
    spec.adds_bos =  // of Gemma 4 whatever the file says, as llama.cpp
        words == "gemma4" ||
        metadata.boolean("tokenizer.ggml.add_bos_token").value_or(spec.adds_bos && spec.bos.has_value());
    if (spec.adds_bos && !spec.bos)
        throw config_error(spec.where, ": \"tokenizer.ggml.add_bos_token\" is set, but there is no bos token");
    if (metadata.boolean("tokenizer.ggml.add_eos_token").value_or(false)) {
        throw config_error(spec.where,
                           ": \"tokenizer.ggml.add_eos_token\" is not supported; give token ids instead of text");
    }
    return spec;
}

}  // namespace plateau::io
