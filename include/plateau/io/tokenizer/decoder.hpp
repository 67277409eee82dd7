#pragma once
/// Decodes tokens to text, as Hugging Face tokenizers does it.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

/// The steps of a tokenizer's decoder.
class decoder {
public:
    explicit decoder(std::vector<text_step> steps) : steps_{std::move(steps)} {}

    /// True if text is nothing but the bytes of all tokens: mended_utf8 of each token's bytes one after the other.
    bool only_bytes() const { return steps_.size() == 1 && steps_[0].what == text_step::action::byte_letters; }

    /// The text of a list of tokens: all steps one after the other. Without any, spaces join the tokens.
    std::string text_of_tokens(std::vector<std::string> tokens) const;

    /// The bytes that a token stands for in the middle of a text: characters that are taken off at the ends of a text
    /// stay.
    std::string bytes_of_token(std::string_view token) const;

private:
    std::vector<text_step> steps_;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/decoder.ipp>
#endif
