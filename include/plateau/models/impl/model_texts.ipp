#pragma once
/// Bodies of models/model_texts.hpp.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/models/model_texts.hpp>

namespace plateau::models {

PLATEAU_INLINE std::optional<token_id> model_texts::bos() const {
    if (tokenizer && tokenizer->bos()) return tokenizer->bos();
    return config.bos.empty() ? std::nullopt : std::optional{config.bos.front()};
}

PLATEAU_INLINE void model_texts::take_tokenizer(std::function<io::tokenizer()> const& make) {
    try {
        tokenizer = shared<io::tokenizer const>(make());
    } catch (error const& reason) {
        tokenizer_problem = reason.what();
    }
}

}  // namespace plateau::models
