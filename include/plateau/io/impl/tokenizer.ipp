#pragma once
/// Bodies of io/tokenizer.hpp.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/byte_alphabet.hpp>
#include <plateau/io/tokenizer/folder.hpp>
#include <plateau/io/tokenizer/gguf.hpp>
#include <plateau/io/tokenizer/json.hpp>
#include <plateau/io/tokenizer/pretokenizer.hpp>
#include <plateau/io/tokenizer/scored_merges.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/tokenizer/token_table.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

/// The spelling of a token in the symbols of the model. Letters out of the byte alphabet cannot come about by merging
/// bytes, so that such a token is left out; an added one still finds its id.
PLATEAU_INLINE std::optional<std::string> tokenizer::symbols_of(std::string const& token, tokenizer_spec const& spec) {
    return spec.model.characters ? std::optional{token} : bytes_of_letters(token);
}

PLATEAU_INLINE token_id tokenizer::find_part(bpe const& model, std::string const& token, std::uint32_t rank,
                                             tokenizer_spec const& spec) {
    auto const symbols = symbols_of(token, spec);
    token_id const id = symbols ? model.tokens().find(*symbols) : no_token;
    if (id == no_token) {
        throw config_error(spec.where, ": merge number ", rank, " needs the token ", printable(token),
                           ", which is not in the vocabulary");
    }
    return id;
}

PLATEAU_INLINE bpe tokenizer::make_bpe(tokenizer_spec const& spec) const {
    token_table tokens{spec.tokens.size()};
    for (auto const& [token, id] : spec.tokens) {
        if (auto const symbols = symbols_of(token, spec)) tokens.insert(*symbols, id);
    }
    bpe model{std::move(tokens), spec.model, texts_.size(), spec.merges.size()};
    token_merge merge;
    std::string both;
    for (auto const& [left, right] : spec.merges) {
        both = left;
        both += right;
        token_id const first = find_part(model, left, merge.rank, spec);
        token_id const second = find_part(model, right, merge.rank, spec);
        merge.result = find_part(model, both, merge.rank, spec);
        model.add_merge(first, second, merge, both);
        ++merge.rank;
    }
    if (!spec.scores.empty()) add_scored_merges(model, spec.tokens, spec.scores);
    return model;
}

PLATEAU_INLINE void tokenizer::set_text(added_token const& token, bool replaces, std::size_t tokens,
                                        std::string const& where) {
    constexpr std::size_t most_gaps = 65536;
    auto const at = static_cast<std::size_t>(token.id);
    if (token.id < 0 || at >= tokens + most_gaps) {
        throw config_error(where, ": the token id ", token.id, " is absurd for ", tokens, " tokens");
    }
    if (at >= kinds_.size()) {
        texts_.resize(at + 1);
        kinds_.resize(at + 1);
        if (!decoder_.only_bytes()) spelling_.resize(at + 1);
    }
    if (kinds_[at] != absent && !replaces) throw config_error(where, ": two tokens have the id ", token.id);
    std::string const spelling = token.normalized ? normalizer_(token.content) : token.content;
    kinds_[at] = !token.special ? textual : spelling == token.content ? hidden : structural;
    texts_[at] = decoder_.bytes_of_token(spelling);
    if (!spelling_.empty()) spelling_[at] = spelling;
}

PLATEAU_INLINE void tokenizer::set_texts(tokenizer_spec const& spec) {
    std::size_t const tokens = spec.tokens.size() + spec.added.size();
    added_token plain;
    for (auto const& [token, id] : spec.tokens) {
        plain.content = token;
        plain.id = id;
        set_text(plain, false, tokens, spec.where);
    }
    auto const named = static_cast<index>(kinds_.size());
    for (auto const& token : spec.added) set_text(token, token.id < named, tokens, spec.where);
    auto const exists = [&](token_id id) {
        return id >= 0 && id < size() && kinds_[static_cast<std::size_t>(id)] != absent;
    };
    if (spec.bos && !exists(*spec.bos)) {
        throw config_error(spec.where, ": the bos token has the id ", *spec.bos, ", which no token has");
    }
}

/// The added tokens that are looked for before the normalizer, or after it and as it leaves them.
PLATEAU_INLINE std::vector<added_token> tokenizer::added_tokens(tokenizer_spec const& spec, bool normalized) const {
    std::vector<added_token> found;
    for (auto token : spec.added) {
        if (token.normalized != normalized) continue;
        if (normalized) token.content = normalizer_(token.content);
        found.push_back(std::move(token));
    }
    return found;
}

PLATEAU_INLINE tokenizer::tokenizer(tokenizer_spec spec)
    : decoder_{std::move(spec.decoding)}, normalizer_{std::move(spec.normal)}, added_{added_tokens(spec, false)},
      added_normalized_{added_tokens(spec, true)}, words_{std::move(spec.words)}, model_{(set_texts(spec),
                                                                                          make_bpe(spec))},
      bos_{spec.bos}, eos_{spec.eos}, adds_bos_{spec.adds_bos}, notice_{std::move(spec.notice)} {}

PLATEAU_INLINE tokenizer tokenizer::from_json_file(std::filesystem::path const& path) {
    return tokenizer{read_tokenizer_json(path)};
}

PLATEAU_INLINE tokenizer tokenizer::from_folder(std::filesystem::path const& path) {
    return tokenizer{read_tokenizer_folder(path)};
}

PLATEAU_INLINE tokenizer tokenizer::of_model(std::filesystem::path const& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return from_folder(path);
    if (!std::filesystem::exists(path, ignored)) throw file_error(no_model_at(path.string()));
    return from_gguf(gguf_file{path});
}

PLATEAU_INLINE_HOT std::vector<token_id> tokenizer::encode(std::string_view text) const {
    if (auto const valid = valid_utf8_prefix(text); valid < text.size()) {
        throw domain_error("the text to tokenize is not UTF-8 at byte ", valid, "; convert it to UTF-8");
    }
    bpe::scratch work;
    std::vector<token_id> ids;
    auto const encode_word = [&](std::string_view word) { model_.encode(word, ids, work); };
    std::string_view normal;
    bool first = false;  // whether `normal` is the beginning of the text
    auto const encode_normal = [&](std::string_view part, token_id id) {
        if (id != no_token) ids.push_back(id);
        else words_.split(part, first && part.data() == normal.data(), encode_word);
    };
    added_.split(text, [&](std::string_view part, token_id id) {
        if (id != no_token) return ids.push_back(id);
        first = part.data() == text.data();
        if (normalizer_.empty()) {
            normal = part;
            added_normalized_.split(normal, encode_normal);
        } else {
            std::string const changed = normalizer_(part);
            normal = changed;
            added_normalized_.split(normal, encode_normal);
        }
    });
    return ids;
}

PLATEAU_INLINE_HOT std::vector<token_id> tokenizer::encode(std::string_view text, bos_policy bos) const {
    auto ids = encode(text);
    if (bos == bos_policy::never || (bos == bos_policy::as_published && !adds_bos_)) return ids;
    if (!bos_) throw config_error("this tokenizer has no beginning-of-text token to put before a text");
    ids.insert(ids.begin(), *bos_);
    return ids;
}

PLATEAU_INLINE_HOT std::size_t tokenizer::at(token_id id) const {
    auto const at = static_cast<std::size_t>(id);
    if (id < 0 || at >= kinds_.size() || kinds_[at] == absent) {
        throw domain_error("there is no token ", id, "; the ids of this tokenizer are below ", size());
    }
    return at;
}

PLATEAU_INLINE_HOT std::string tokenizer::decode(std::span<token_id const> ids, special_tokens special) const {
    bool const bytes = decoder_.only_bytes();
    std::string text;
    std::vector<std::string> tokens;
    for (token_id id : ids) {
        if (id >= 0 && !has(id)) continue;
        auto const place = at(id);
        if (special == special_tokens::skipped && kinds_[place] == hidden) continue;
        if (bytes) text += texts_[place];
        else tokens.push_back(spelling_[place]);
    }
    return bytes ? mended_utf8(text) : decoder_.text_of_tokens(std::move(tokens));
}

PLATEAU_INLINE tokenizer tokenizer::from_json(std::string_view json_text, std::string const& where) {
    return tokenizer{parse_tokenizer_json(json_text, where)};
}

PLATEAU_INLINE tokenizer tokenizer::from_gguf(gguf_file const& file) { return tokenizer{parse_gguf_tokenizer(file)}; }

}  // namespace plateau::io
