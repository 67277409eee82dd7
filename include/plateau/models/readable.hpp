#pragma once
/// Readable tokens and prompts, for tables and pictures.

#include <string>
#include <vector>

#include <plateau/models/model_texts.hpp>

namespace plateau::models {

/// A token as it is shown: its text in the middle of a prompt, or its id where there is no tokenizer.
inline std::string token_text(model_texts const& model, token_id token) {
    if (!model.tokenizer || !model.tokenizer->has(token)) return std::to_string(token);
    std::string text;
    for (char const c : model.tokenizer->token_text(token)) {
        if (c == ' ') text += "␣";
        else if (c == '\n') text += "↵";
        else text += c;
    }
    return text;
}

/// The text of one token, or nothing where there is no tokenizer.
inline std::string plain_text(model_texts const& model, token_id token) {
    return model.tokenizer ? model.tokenizer->decode({&token, 1}) : "";
}

/// A prompt as a picture shows it: in quotes, or its ids where there is no tokenizer.
inline std::string prompt_text(model_texts const& model, std::vector<token_id> const& prompt) {
    if (model.tokenizer) return "“" + model.tokenizer->decode(prompt) + "”";
    std::string ids;
    for (auto const token : prompt) ids += std::to_string(token) + " ";
    return ids;
}

}  // namespace plateau::models
