#pragma once
/// Text to token ids and back: byte-level BPE, as Hugging Face tokenizers computes it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/added_tokens.hpp>
#include <plateau/io/bpe.hpp>
#include <plateau/io/byte_alphabet.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/pretokenizer.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer_gguf.hpp>
#include <plateau/io/tokenizer_json.hpp>
#include <plateau/io/tokenizer_spec.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

/// A byte-level BPE tokenizer. Its functions are safe to call from many threads.
class tokenizer {
public:
    /// @throws config_error naming the file: a repeated or absurd id, a merge or bos that names no token
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

    /// The ids of a text. Added tokens are recognised in it; bos is not put before it. A byte without a
    /// token becomes the unknown token, and vanishes if there is none, as in Hugging Face tokenizers.
    /// @throws domain_error with the byte offset if the text is not UTF-8
    std::vector<token_id> encode(std::string_view text) const;

    /// The bytes that ids stand for, one after the other, added tokens by their text. They are UTF-8 unless
    /// the ids cut a character. @throws domain_error for an id that does not exist
    std::string decode(std::span<token_id const> ids) const;

    /// The bytes that one id stands for. @throws domain_error if it does not exist
    std::string const& token_text(token_id id) const;

    /// One more than the largest id.
    index size() const { return static_cast<index>(texts_.size()); }

    /// Whether the published tokenizer begins every text with bos.
    bool adds_bos() const { return adds_bos_; }
    std::optional<token_id> bos() const { return bos_; }
    std::optional<token_id> eos() const { return eos_; }

private:
    void add_text(token_id id, std::string text, std::size_t tokens, std::string const& where);
    static bpe make_bpe(tokenizer_spec const& spec);

    bpe model_;
    pretokenizer words_;
    added_token_splitter added_;
    std::vector<std::optional<std::string>> texts_;
    std::optional<token_id> bos_, eos_;
    bool adds_bos_;
};

[[gnu::cold]] inline bpe tokenizer::make_bpe(tokenizer_spec const& spec) {
    bpe::vocabulary tokens;
    tokens.reserve(spec.tokens.size());
    for (auto const& [letters, id] : spec.tokens) {
        // Others cannot come about by merging bytes; an added token still finds its id.
        if (auto bytes = bytes_of_letters(letters)) tokens.emplace(*std::move(bytes), id);
    }
    bpe model{std::move(tokens), spec.unknown, spec.whole_words};
    std::uint32_t rank = 0;
    for (auto const& [left, right] : spec.merges) {
        auto const find = [&](std::string const& letters) {
            auto const bytes = bytes_of_letters(letters);
            auto const at = bytes ? model.tokens().find(*bytes) : model.tokens().end();
            if (at == model.tokens().end()) {
                throw config_error{spec.where, ": merge number ", rank, " needs the token ",
                                   printable(letters), ", which is not in the vocabulary"};
            }
            return at->second;
        };
        token_id const first = find(left), second = find(right);
        model.add_merge(first, second, find(left + right), rank);
        ++rank;
    }
    return model;
}

inline tokenizer::tokenizer(tokenizer_spec spec)
    : model_{make_bpe(spec)}, words_{spec.words}, added_{spec.added}, bos_{spec.bos}, eos_{spec.eos},
      adds_bos_{spec.adds_bos} {
    std::size_t const tokens = spec.tokens.size() + spec.added.size();
    for (auto& [letters, id] : spec.tokens) {
        auto bytes = bytes_of_letters(letters);
        add_text(id, bytes ? *std::move(bytes) : std::move(letters), tokens, spec.where);
    }
    for (auto& token : spec.added) {
        if (token.id < size() && texts_[static_cast<std::size_t>(token.id)]) {
            texts_[static_cast<std::size_t>(token.id)] = std::move(token.content);
        } else {
            add_text(token.id, std::move(token.content), tokens, spec.where);
        }
    }
    if (bos_ && (*bos_ >= size() || !texts_[static_cast<std::size_t>(*bos_)])) {
        throw config_error{spec.where, ": the bos token has the id ", *bos_, ", which no token has"};
    }
}

[[gnu::cold]] inline void tokenizer::add_text(token_id id, std::string text, std::size_t tokens,
                                              std::string const& where) {
    constexpr std::size_t most_gaps = 65536;
    auto const at = static_cast<std::size_t>(id);
    if (id < 0 || at >= tokens + most_gaps) {
        throw config_error{where, ": the token id ", id, " is absurd for ", tokens, " tokens"};
    }
    if (at >= texts_.size()) texts_.resize(at + 1);
    if (texts_[at]) throw config_error{where, ": two tokens have the id ", id};
    texts_[at] = std::move(text);
}

inline tokenizer tokenizer::from_json_file(std::filesystem::path const& path) {
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
        throw domain_error{"the text to tokenize is not UTF-8 at byte ", valid, "; convert it to UTF-8"};
    }
    constexpr std::size_t longest_cached = 64;
    constexpr std::size_t most_cached = 1u << 17;
    std::unordered_map<std::string, std::vector<token_id>, detail::string_hash, std::equal_to<>> cache;
    bpe::scratch work;
    std::vector<token_id> ids;
    word_sink const encode_word = [&](std::string_view word) {
        if (auto const at = cache.find(word); at != cache.end()) {
            ids.insert(ids.end(), at->second.begin(), at->second.end());
            return;
        }
        auto const before = static_cast<std::ptrdiff_t>(ids.size());
        model_.encode(word, ids, work);
        if (word.size() <= longest_cached && cache.size() < most_cached) {
            cache.emplace(word, std::vector<token_id>(ids.begin() + before, ids.end()));
        }
    };
    added_.split(text, [&](std::string_view part, std::optional<token_id> id) {
        if (id) ids.push_back(*id);
        else words_.split(part, encode_word);
    });
    return ids;
}

inline std::string const& tokenizer::token_text(token_id id) const {
    auto const at = static_cast<std::size_t>(id);
    if (id < 0 || at >= texts_.size() || !texts_[at]) {
        throw domain_error{"there is no token ", id, "; the ids of this tokenizer are below ", size()};
    }
    return *texts_[at];
}

inline std::string tokenizer::decode(std::span<token_id const> ids) const {
    std::string text;
    for (token_id id : ids) text += token_text(id);
    return text;
}

}  // namespace plateau::io
