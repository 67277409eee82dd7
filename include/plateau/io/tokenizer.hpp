#pragma once
/// Text to token ids and back: byte-pair encoding, as Hugging Face tokenizers computes it.

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
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/byte_alphabet.hpp>
#include <plateau/io/tokenizer/decoder.hpp>
#include <plateau/io/tokenizer/gguf.hpp>
#include <plateau/io/tokenizer/json.hpp>
#include <plateau/io/tokenizer/normalizer.hpp>
#include <plateau/io/tokenizer/pretokenizer.hpp>
#include <plateau/io/tokenizer/spec.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

/// Whether bos stands before the ids of a text.
enum class bos_policy {
    as_published,  ///< as the published tokenizer does it
    always,
    never,
};

/// Whether decoding shows special tokens, such as bos.
enum class special_tokens { shown, skipped };

/// A BPE tokenizer: of bytes, as GPT-2's, or of characters, as Llama 2's. Safe to use from many threads.
class tokenizer {
public:
    /// @throws config_error naming the file: a repeated or absurd id, a merge or bos that names no token, a step that
    ///         needs a library which was not there at compile time
    explicit tokenizer(tokenizer_spec spec);

    /// tokenizer.json, and tokenizer_config.json if it lies beside it.
    /// @throws file_error if the file cannot be read or is not JSON; config_error as parse_tokenizer_json
    static tokenizer from_json_file(std::filesystem::path const& path);

    /// @param where  names the text in messages      @throws as from_json_file
    static tokenizer from_json(std::string_view json_text, std::string const& where) {
        return tokenizer{parse_tokenizer_json(json_text, where)};
    }

    /// @throws config_error as parse_gguf_tokenizer
    static tokenizer from_gguf(gguf_file const& file) { return tokenizer{parse_gguf_tokenizer(file)}; }

    /// The ids of a text. Added tokens are recognised in it; bos is not put before it. A symbol without a token becomes
    /// its bytes or the unknown token, or vanishes, as the file says.
    /// @throws domain_error with the byte offset if the text is not UTF-8
    std::vector<token_id> encode(std::string_view text) const;

    /// As encode, with bos before it where the policy says so. @throws config_error for `always` without a bos
    std::vector<token_id> encode(std::string_view text, bos_policy bos) const;

    /// The text of ids, always UTF-8: U+FFFD stands for what the ids cut, and a space that encoding put before the text
    /// is taken off. @throws domain_error for an id that does not exist
    std::string decode(std::span<token_id const> ids, special_tokens special = special_tokens::shown) const;

    /// The bytes that one id stands for in the middle of a text. @throws domain_error if it does not exist
    std::string const& token_text(token_id id) const { return texts_[at(id)]; }

    /// Whether an id is structure rather than text. @throws domain_error if it does not exist
    bool is_special(token_id id) const { return kinds_[at(id)] >= structural; }

    /// One more than the largest id.
    index size() const { return static_cast<index>(texts_.size()); }

    /// Whether the published tokenizer begins every text with bos.
    bool adds_bos() const { return adds_bos_; }
    std::optional<token_id> bos() const { return bos_; }
    std::optional<token_id> eos() const { return eos_; }

private:
    // `hidden` are the special tokens that decoding can skip: those that their normalizer leaves as they are. Hugging
    // Face tokenizers 0.23 spells the others as normalized, and then does not know them for special.
    enum kind : unsigned char { absent, textual, structural, hidden };

    std::size_t at(token_id id) const;
    void set_text(added_token const& token, bool replaces, std::size_t tokens, std::string const& where);
    void set_texts(tokenizer_spec const& spec);
    std::vector<added_token> added_tokens(tokenizer_spec const& spec, bool normalized) const;
    static std::optional<std::string> symbols_of(std::string const& token, tokenizer_spec const& spec);
    static token_id find_part(bpe const& model, std::string const& token, std::uint32_t rank,
                              tokenizer_spec const& spec);
    bpe make_bpe(tokenizer_spec const& spec) const;

    std::vector<std::string> texts_;     // by id, as are the next two
    std::vector<std::string> spelling_;  // empty if the decoder needs nothing but texts_
    std::vector<unsigned char> kinds_;
    decoder decoder_;
    normalizer normalizer_;
    added_token_splitter added_, added_normalized_;
    pretokenizer words_;
    bpe model_;
    std::optional<token_id> bos_, eos_;
    bool adds_bos_;
};

/// How the model spells a token. Letters out of the byte alphabet cannot come about by merging bytes, so that such a
/// token is left out; an added one still finds its id.
[[gnu::cold]] inline std::optional<std::string> tokenizer::symbols_of(std::string const& token,
                                                                      tokenizer_spec const& spec) {
    return spec.model.characters ? std::optional{token} : bytes_of_letters(token);
}

[[gnu::cold]] inline token_id tokenizer::find_part(bpe const& model, std::string const& token, std::uint32_t rank,
                                                   tokenizer_spec const& spec) {
    auto const symbols = symbols_of(token, spec);
    token_id const id = symbols ? model.tokens().find(*symbols) : no_token;
    if (id == no_token) {
        throw config_error(spec.where, ": merge number ", rank, " needs the token ", printable(token),
                           ", which is not in the vocabulary");
    }
    return id;
}

[[gnu::cold]] inline bpe tokenizer::make_bpe(tokenizer_spec const& spec) const {
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
    return model;
}

[[gnu::cold]] inline void tokenizer::set_text(added_token const& token, bool replaces, std::size_t tokens,
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

[[gnu::cold]] inline void tokenizer::set_texts(tokenizer_spec const& spec) {
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

/// Those that are looked for before the normalizer, or after it and as it leaves them.
[[gnu::cold]] inline std::vector<added_token> tokenizer::added_tokens(tokenizer_spec const& spec,
                                                                      bool normalized) const {
    std::vector<added_token> found;
    for (auto token : spec.added) {
        if (token.normalized != normalized) continue;
        if (normalized) token.content = normalizer_(token.content);
        found.push_back(std::move(token));
    }
    return found;
}

[[gnu::cold]] inline tokenizer::tokenizer(tokenizer_spec spec)
    : decoder_{std::move(spec.decoding)}, normalizer_{std::move(spec.normal)}, added_{added_tokens(spec, false)},
      added_normalized_{added_tokens(spec, true)}, words_{std::move(spec.words)},
      model_{(set_texts(spec), make_bpe(spec))}, bos_{spec.bos}, eos_{spec.eos}, adds_bos_{spec.adds_bos} {}

[[gnu::cold]] inline tokenizer tokenizer::from_json_file(std::filesystem::path const& path) {
    tokenizer_spec spec = parse_tokenizer_json(mapped_file{path}.text(), path.string());
    auto const beside = path.parent_path() / "tokenizer_config.json";
    std::error_code ignored;
    if (std::filesystem::exists(beside, ignored)) {
        apply_tokenizer_config(spec, mapped_file{beside}.text(), beside.string());
    }
    return tokenizer{std::move(spec)};
}

inline std::vector<token_id> tokenizer::encode(std::string_view text) const {
    if (auto const valid = valid_utf8_prefix(text); valid < text.size()) {
        throw domain_error("the text to tokenize is not UTF-8 at byte ", valid, "; convert it to UTF-8");
    }
    bpe::scratch work;
    std::vector<token_id> ids;
    pretokenizer::word_sink const encode_word = [&](std::string_view word) { model_.encode(word, ids, work); };
    std::string_view normal;
    bool first = false;  // whether `normal` is the beginning of the text
    added_token_splitter::piece_sink const encode_normal = [&](std::string_view part, token_id id) {
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

[[gnu::cold]] inline std::vector<token_id> tokenizer::encode(std::string_view text, bos_policy bos) const {
    auto ids = encode(text);
    if (bos == bos_policy::never || (bos == bos_policy::as_published && !adds_bos_)) return ids;
    if (!bos_) throw config_error("this tokenizer has no beginning-of-text token to put before a text");
    ids.insert(ids.begin(), *bos_);
    return ids;
}

inline std::size_t tokenizer::at(token_id id) const {
    auto const at = static_cast<std::size_t>(id);
    if (id < 0 || at >= kinds_.size() || kinds_[at] == absent) {
        throw domain_error("there is no token ", id, "; the ids of this tokenizer are below ", size());
    }
    return at;
}

inline std::string tokenizer::decode(std::span<token_id const> ids, special_tokens special) const {
    bool const bytes = decoder_.only_bytes();
    std::string text;
    std::vector<std::string> tokens;
    for (token_id id : ids) {
        auto const place = at(id);
        if (special == special_tokens::skipped && kinds_[place] == hidden) continue;
        if (bytes) text += texts_[place];
        else tokens.push_back(spelling_[place]);
    }
    return bytes ? mended_utf8(text) : decoder_.text_of_tokens(std::move(tokens));
}

}  // namespace plateau::io
