#pragma once
/// Likeliest next tokens of prompts' own runs.

#include <vector>

#include <plateau/engine/generate.hpp>
#include <plateau/engine/model.hpp>

namespace plateau::sweep {

/// [N]: the token that each prompt makes likeliest. @throws as engine::generate
template <class T>
std::vector<token_id> likeliest_tokens(model<T> const& model, prompt_list const& prompts) {
    std::vector<token_id> tokens;
    for (auto const& next : engine::generate(model.engine(), prompts, {.max_new_tokens = 1}))
        tokens.push_back(next.tokens[0]);
    return tokens;
}

}  // namespace plateau::sweep
