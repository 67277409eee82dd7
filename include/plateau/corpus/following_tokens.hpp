#pragma once
/// Counts of the tokens that follow a token in a text.

#include <algorithm>
#include <map>
#include <span>
#include <unordered_map>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::corpus {

/// Counts of (token, next token) over texts: the statistics of pairs of neighbours, for comparing what a model
/// predicts, or how sharply it tells two prompts apart, with how differently their last tokens go on in the language.
/// Memory grows with the different pairs of neighbours.
class following_tokens {
public:
    following_tokens() = default;
    explicit following_tokens(std::span<token_id const> text) { add(text); }

    /// Counts every two neighbours of one more text; the last token of one text is not followed by the next text's
    /// first.
    void add(std::span<token_id const> text) {
        for (std::size_t i = 0; i + 1 < text.size(); ++i) {
            auto& of = tokens_[text[i]];
            ++of.next[text[i + 1]];
            ++of.total;
        }
    }

    /// How often a token was followed by any other.
    index count(token_id token) const {
        auto const found = tokens_.find(token);
        return found == tokens_.end() ? 0 : found->second.total;
    }

    /// How often it was followed by `next`.
    index count(token_id token, token_id next) const {
        auto const found = tokens_.find(token);
        if (found == tokens_.end()) return 0;
        auto const at = found->second.next.find(next);
        return at == found->second.next.end() ? 0 : at->second;
    }

    /// p_v = count(token, v) / count(token), [V]: `metrics::jensen_shannon_distance` of two of them tells how
    /// differently two tokens go on. Of n counts that distance is too large, by about (k − 1) / (4 n ln 2) bits before
    /// the root for k tokens that follow, even where nothing differs: compare tokens that were counted often.
    /// @throws domain_error if the token was never followed, or by one outside of [0, vocabulary)
    std::vector<double> distribution(token_id token, index vocabulary) const {
        auto const found = tokens_.find(token);
        if (found == tokens_.end())
            throw domain_error("token ", token,
                               " is never followed by another in these texts: there is no distribution");
        std::vector<double> p(static_cast<std::size_t>(std::max<index>(vocabulary, 0)));
        for (auto const& [next, times] : found->second.next) {
            if (next < 0 || next >= vocabulary) {
                throw domain_error("token ", token, " is followed by token ", next, ", outside of the vocabulary [0, ",
                                   vocabulary, ")");
            }
            p[static_cast<std::size_t>(next)] = static_cast<double>(times) / static_cast<double>(found->second.total);
        }
        return p;
    }

private:
    struct followers {
        std::map<token_id, index> next;
        index total = 0;
    };
    std::unordered_map<token_id, followers> tokens_;
};

}  // namespace plateau::corpus
