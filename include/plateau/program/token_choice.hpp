#pragma once
/// Tokens chosen by an option: by their text or their id, or the likeliest ones.

#include <optional>
#include <string>

#include <plateau/program/prompts.hpp>
#include <plateau/sweep/likeliest_tokens.hpp>

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

/// The tokens whose logits make a difference.
struct answer_tokens {
    token_id answer = 0, wrong = 0;
};

/// Those of --answer and --wrong, or those that the two prompts make likeliest. @throws usage_error if they are one
template <class T>
answer_tokens answers_of(model<T> const& model, prompt_list const& prompts, std::optional<std::string> const& answer,
                         std::optional<std::string> const& wrong) {
    answer_tokens all;
    if (!answer || !wrong) {
        auto const likeliest = sweep::likeliest_tokens(model, prompts);
        all = {likeliest[0], likeliest[1]};
    }
    if (answer) all.answer = token_named(model, model.vocabulary(), *answer, "--answer");
    if (wrong) all.wrong = token_named(model, model.vocabulary(), *wrong, "--wrong");
    if (all.answer != all.wrong) return all;
    throw usage_error("the answer and the wrong answer are the same token, ", token_text(model, all.answer), " (id ",
                      all.answer,
                      "): give others as --answer and --wrong (by default the tokens that the clean and the corrupted "
                      "prompt make likeliest), or prompts that differ more");
}

}  // namespace plateau::program
