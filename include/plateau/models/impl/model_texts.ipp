#pragma once
/// Bodies of models/model_texts.hpp.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/models/model_texts.hpp>

namespace plateau::models {

PLATEAU_INLINE std::optional<token_id> model_texts::bos() const {
    if (tokenizer && tokenizer->bos()) return tokenizer->bos();
    return config.bos.empty() ? std::nullopt : std::optional{config.bos.front()};
}

PLATEAU_INLINE void model_texts::take_tokenizer(function_ref<io::tokenizer()> make) {
    try {
        tokenizer.reset(new io::tokenizer(make()));
    } catch (error const& reason) {
        tokenizer_problem = reason.what();
    }
}

}  // namespace plateau::models
