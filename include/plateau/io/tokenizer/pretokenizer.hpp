#pragma once
/// Pre-tokenizer: cuts text into the words that byte-pair encoding works on.

#include <cstddef>
#include <string_view>
#include <vector>

#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/pattern.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

/// The steps of a tokenizer's pre-tokenizer. ByteLevel is [prefix " ",] split by GPT-2's pattern; Digits a split;
/// Metaspace replace " " by "▁", prefix "▁", split at "▁", merged with what follows.
class pretokenizer {
public:
    /// @throws config_error as word_pattern
    explicit pretokenizer(std::vector<text_step> steps);
    using word_sink = function_ref<void(std::string_view)>;

    /// Calls word(piece) for the words of a text, in order, none of them empty; `piece` lives until the call returns.
    /// @param first  whether the text is the beginning of what is encoded
    /// @pre valid UTF-8
    void split(std::string_view text, bool first, word_sink const& word) const { run(0, text, first, word); }

private:
    void run(std::size_t step, std::string_view text, bool first, word_sink const& word) const;
    void cut(std::size_t step, std::string_view text, match_sink const& piece) const;

    std::vector<text_step> steps_;
    std::vector<word_pattern> patterns_;  // of the steps that have one
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/pretokenizer.ipp>
#endif
