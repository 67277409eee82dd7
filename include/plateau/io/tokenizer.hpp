#pragma once
/// Tokenizer: text to token ids and back by byte-pair encoding, as Hugging Face tokenizers computes it.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/tokenizer/added_tokens.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/decoder.hpp>
#include <plateau/io/tokenizer/normalizer.hpp>
#include <plateau/io/tokenizer/pretokenizer.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

/// The rule by which bos is put before the ids of a text.
enum class bos_policy {
    as_published,  ///< as the published tokenizer does it
    always,
    never,
};

/// The treatment of special tokens, such as bos, by decoding.
enum class special_tokens { shown, skipped };

/// A BPE tokenizer: of bytes, as GPT-2's, or of characters, as Llama 2's. Safe to use from many threads.
class tokenizer {
public:
    /// @throws config_error naming the file: a repeated or absurd id, a merge or bos that names no token, a step that
    ///         needs a library which was not there at compile time
    explicit tokenizer(tokenizer_spec spec);

    /// A tokenizer.json and what lies beside it. @throws as read_tokenizer_json
    static tokenizer from_json_file(std::filesystem::path const& path);

    /// The tokenizer of a Hugging Face folder, which needs to hold nothing else. @throws as read_tokenizer_folder
    static tokenizer from_folder(std::filesystem::path const& path);

    /// The tokenizer of a model: of a Hugging Face folder, or of a GGUF file, which may hold a vocabulary alone.
    /// @throws file_error if there is none; as from_folder and from_gguf
    static tokenizer of_model(std::filesystem::path const& path);

    /// @param where  names the text in messages      @throws as from_json_file
    static tokenizer from_json(std::string_view json_text, std::string const& where);

    /// @throws config_error as parse_gguf_tokenizer
    static tokenizer from_gguf(gguf_file const& file);

    /// The ids of a text. Added tokens are recognised in it; bos is not put before it. A symbol without a token becomes
    /// its bytes or the unknown token, or vanishes, as the file says.
    /// @throws domain_error with the byte offset if the text is not UTF-8
    std::vector<token_id> encode(std::string_view text) const;

    /// As encode, with bos before it where the policy says so. @throws config_error for `always` without a bos
    std::vector<token_id> encode(std::string_view text, bos_policy bos) const;

    /// The text of ids, always UTF-8: U+FFFD stands for what the ids cut, and a space that encoding put before the text
    /// is taken off. An id without a token, as larger vocabularies of models have them, gives nothing.
    /// @throws domain_error for a negative id
    std::string decode(std::span<token_id const> ids, special_tokens special = special_tokens::shown) const;

    /// The bytes that one id stands for in the middle of a text. @throws domain_error if it does not exist
    std::string const& token_text(token_id id) const { return texts_[at(id)]; }

    /// True if an id is structure rather than text. @throws domain_error if it does not exist
    bool is_special(token_id id) const { return kinds_[at(id)] >= structural; }

    /// True if an id has a token: there may be none at the end of a model's vocabulary, and in gaps.
    bool has(token_id id) const { return id >= 0 && id < size() && kinds_[static_cast<std::size_t>(id)] != absent; }

    /// One more than the largest id.
    index size() const { return static_cast<index>(texts_.size()); }

    /// True if the published tokenizer begins every text with bos.
    bool adds_bos() const { return adds_bos_; }
    std::optional<token_id> bos() const { return bos_; }
    std::optional<token_id> eos() const { return eos_; }

    /// What the files left open and was assumed, for people to read; empty if there was nothing.
    std::string const& notice() const { return notice_; }

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
    std::string notice_;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/tokenizer.ipp>
#endif
