#pragma once
/// Prompts on their way, token by token: what came is kept as keys and values.

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/models/transformer.hpp>

namespace plateau::models {

/// Texts that grow. Each has a cache of its own; all that are advanced together share blocks of rows, and a text's bits
/// do not depend on the others: they are those of a full forward pass over the whole of it.
template <class Context, class Model>
class running_prompts {
public:
    using T = typename Model::value_type;

    /// More tokens of one text.
    struct step {
        index text = 0;  ///< as `add` counted
        std::span<token_id const> tokens;
    };

    /// @param ctx,model  kept as references
    /// @param plan       whose hooks see every row; kept as a reference
    running_prompts(Context const& ctx, Model const& model, hooks::plan<T> const& plan)
        : ctx_{ctx}, model_{model}, plan_{plan}, pass_{ctx} {}

    /// Begins a text of at most `positions` tokens. @param item  what its rows are called
    /// @throws usage_error if the model's context ends before
    index add(index item, index positions) {
        if (positions > model_.context_length) {
            throw usage_error("prompt ", item, ": ", positions,
                              " positions are asked for, the model's context ends at ", model_.context_length,
                              ": ask for fewer tokens, or shorten the prompt");
        }
        texts_.push_back({item, 0, nn::kv_cache<Context, T>{ctx_, 0, model_.layers(), positions, model_.kv_width()}});
        return static_cast<index>(texts_.size()) - 1;
    }

    /// Forgets what is kept of a text.
    void finish(index text) { texts_[at(text)].cache = {}; }

    /// Tokens that a text has so far.
    index length(index text) const { return texts_[at(text)].length; }

    /// Runs more tokens, each text's at the positions that come next. Rows carry {item, position}; `last` is that of
    /// the row whose logits are returned. Logits of other rows are computed only if a hook wants them.
    /// @param steps  [N], of different texts, none without tokens; tokens in [0, V)
    /// @return logits of the token after each text, on the host, [N, V]
    /// @throws usage_error beyond the positions of a text; numeric_error
    tensor::buffer<T, 2> advance(std::span<step const> steps) {
        std::vector<hooks::row_id> ids, last_ids;
        std::vector<nn::sequence<Context, T>> sequences;
        std::vector<index> tokens, last_rows;
        for (auto const& one : steps) {
            auto& text = texts_[at(one.text)];
            auto const count = static_cast<index>(one.tokens.size());
            if (count == 0) throw usage_error("prompt ", text.item, " is to run on by no token: give at least one");
            if (text.length + count > text.cache.positions()) {
                throw usage_error("prompt ", text.item, " grows beyond the ", text.cache.positions(),
                                  " positions that it was given: give it more at the start");
            }
            sequences.push_back({static_cast<index>(ids.size()), count, text.length, &text.cache, &text.cache});
            for (token_id const token : one.tokens) {
                tokens.push_back(token);
                ids.push_back({text.item, 0, text.length++, false});
            }
            ids.back().last = true;
            last_rows.push_back(static_cast<index>(ids.size()) - 1);
            last_ids.push_back(ids.back());
        }
        pass_.begin(ids, sequences, &plan_);
        model_.embed(ctx_, pass_, tokens);
        model_.run(ctx_, pass_, 0, model_.layers(), "prompt");
        bool const shown = plan_.wants_from(hooks::site_id::ln_final_scale),
                   all_logits = plan_.wants_from(hooks::site_id::unembed_out);
        if (shown) model_.read_out(ctx_, pass_, all_logits);
        keep(all_logits ? nn::slot::logits : shown ? nn::slot::normed : nn::slot::residual, last_rows);
        pass_.begin(last_ids, {}, nullptr);
        if (!shown) model_.read_out(ctx_, pass_, true);
        else if (!all_logits) model_.unembed(ctx_, pass_);
        auto const logits = pass_.matrix(nn::slot::logits, model_.vocabulary());
        auto result = tensor::buffer<T, 2>::for_overwrite(logits.extents());
        pass_.host().read(logits,
                          [&](tensor::view<T, 2> rows) { std::copy_n(rows.data(), rows.size(), result.data()); });
        return result;
    }

private:
    struct growing_text {
        index item = 0;
        index length = 0;
        nn::kv_cache<Context, T> cache;
    };

    static std::size_t at(index i) { return static_cast<std::size_t>(i); }

    /// Moves the chosen rows of a slot, in rising order, to its front.
    void keep(nn::slot which, std::vector<index> const& rows) {
        auto const matrix = pass_.matrix(which, which == nn::slot::logits ? model_.vocabulary() : model_.width());
        for (std::size_t i = 0; i < rows.size(); ++i) {
            auto const to = static_cast<index>(i);
            if (rows[i] != to) backend::copy<T>(ctx_, matrix.rows(rows[i], 1), matrix.rows(to, 1));
        }
    }

    Context const& ctx_;
    Model const& model_;
    hooks::plan<T> const& plan_;
    std::vector<growing_text> texts_;
    typename Model::pass_type pass_;
};

}  // namespace plateau::models
