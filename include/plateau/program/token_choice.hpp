#pragma once
/// Tokens chosen by an option: by their text or their id, or the likeliest ones.

#include <optional>
#include <string>

#include <plateau/program/prompts.hpp>
#include <plateau/sweep/likeliest_tokens.hpp>

namespace plateau::program {

/// The ids of a text as it stands in a prompt: the space that some tokenizers put before every text is not doubled
/// where the text has one, and not a token of its own where it has none.
inline std::vector<token_id> answer_ids(model_texts const& model, std::string const& text, std::string const& option) {
    auto ids = encode(model, text, option);
    auto const is_text = [&](token_id id) { return model.tokenizer->token_text(id) == text; };
    if (ids.size() == 2 && model.tokenizer->token_text(ids[0]) == " " && is_text(ids[1])) return {ids[1]};
    if (!text.starts_with(' ') || (ids.size() == 1 && is_text(ids[0]))) return ids;
    auto const shorter = encode(model, text.substr(1), option);
    return shorter.size() == 1 && is_text(shorter[0]) ? shorter : ids;
}

/// The token that an option names: "id:4" by its id, "text:4" by a text that is this one token; without either, digits
/// are an id, unless they are a token's text too, and anything else is a text. @throws usage_error
inline token_id token_named(model_texts const& model, index vocabulary, std::string const& given,
                            std::string const& option) {
    bool const by_id = given.starts_with("id:"), by_text = given.starts_with("text:");
    auto const what = given.substr(by_id ? 3 : by_text ? 5 : 0);
    bool const digits = !what.empty() && what.find_first_not_of("0123456789") == std::string::npos;
    if (by_id && !digits) throw usage_error(option, " ", given, " is no token id: give a number after id:");
    if (digits && !by_text) {
        if (!by_id && model.tokenizer && answer_ids(model, what, option).size() == 1)
            throw usage_error(option, " ", given, " is a token's text and a number: give text:", what, " or id:", what);
        if (what.size() < 10 && std::stol(what) < vocabulary) return static_cast<token_id>(std::stol(what));
        throw usage_error(option, " ", given, " is no token id: the vocabulary has ", vocabulary,
                          " tokens, the largest id is ", vocabulary - 1);
    }
    auto const ids = answer_ids(model, what, option);
    if (ids.size() == 1 && ids[0] < vocabulary) return ids[0];
    if (ids.size() == 1)
        throw usage_error(option, " '", what, "' is token ", ids[0], ", but the model has ", vocabulary, " tokens");
    std::string parts;
    for (token_id const id : ids) parts += (parts.empty() ? ", " : " + ") + token_text(model, id);
    throw usage_error(option, " '", what, "' is ", ids.size(), " tokens", parts,
                      ": give a text of one token (a space before a word belongs to it), or a token id, as id:4");
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
