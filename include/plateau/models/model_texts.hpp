#pragma once
/// The configuration and the tokenizer of a model, if it has one.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/config/schema.hpp>
#include <plateau/io/tokenizer.hpp>

namespace plateau::models {

/// What comes along with weights: the configuration, and a tokenizer.
struct model_texts {
    io::model_config config;
    std::shared_ptr<io::tokenizer const> tokenizer;  ///< null if the checkpoint has none that is supported
    std::string tokenizer_problem;                   ///< why it is null
    std::string notices = {};                        ///< lines on how it was found and taken, each with its end

    /// @throws file_error that says why there is no tokenizer
    io::tokenizer const& require_tokenizer() const {
        if (tokenizer) return *tokenizer;
        bool const advises = tokenizer_problem.find("token ids instead") != std::string::npos;
        throw file_error(tokenizer_problem.empty() ? "this model was made without a tokenizer" : tokenizer_problem,
                         advises ? "" : "; give token ids instead of text");
    }

    /// Token ids of a text, without a beginning-of-text token. @throws file_error without a tokenizer
    std::vector<token_id> tokenize(std::string_view text) const { return require_tokenizer().encode(text); }

    /// The text of tokens. @throws file_error without a tokenizer
    std::string decode(std::span<token_id const> tokens) const { return require_tokenizer().decode(tokens); }
    std::string decode(token_id token) const { return decode({&token, 1}); }

    /// The beginning-of-text token, of the tokenizer or else of the configuration.
    std::optional<token_id> bos() const;

    /// Takes the tokenizer, or why there is none: a model without text is still a model, and the reason is kept for
    /// whoever asks.
    void take_tokenizer(function_ref<io::tokenizer()> make);
};

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/model_texts.ipp>
#endif
