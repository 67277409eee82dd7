#pragma once
/// A token as an option names it.

#include <string>

#include <plateau/program/prompts.hpp>

namespace plateau::program {

/// The token that an option names: by its id, or by a text that is this one token. @throws usage_error
inline token_id token_named(model_texts const& model, index vocabulary, std::string const& given,
                            std::string const& option) {
    if (!given.empty() && given.find_first_not_of("0123456789") == std::string::npos) {
        if (given.size() < 10 && std::stol(given) < vocabulary) return static_cast<token_id>(std::stol(given));
        throw usage_error(option, " ", given, " is no token id: the vocabulary has ", vocabulary, " tokens");
    }
    auto const ids = encode(model, given, option);
    if (ids.size() == 1) return ids[0];
    std::string parts;
    for (token_id const id : ids) parts += (parts.empty() ? ", " : " + ") + token_text(model, id);
    throw usage_error(option, " '", given, "' is ", ids.size(), " tokens", parts,
                      ": give a text of one token (a space before a word belongs to it), or a token id");
}

}  // namespace plateau::program
