#pragma once
/// Known text of token ids: of those that the tokenizer has a text for.

#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/io/tokenizer.hpp>

namespace plateau::io {

/// The text of ids. One that has none, in a vocabulary larger than its tokenizer, is left out.
inline std::string known_text(tokenizer const& tokenizer, std::vector<token_id> ids) {
    std::erase_if(ids, [&](token_id id) {
        try {
            tokenizer.decode({&id, 1});
            return false;
        } catch (domain_error const&) {
            return true;
        }
    });
    return tokenizer.decode(ids);
}

}  // namespace plateau::io
