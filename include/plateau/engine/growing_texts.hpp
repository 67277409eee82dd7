#pragma once
/// Texts that grow token by token: what came is kept as keys and values.

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/engine/engine.hpp>

namespace plateau::engine {

/// Texts that grow. Each has a cache of its own; all that are advanced together share blocks of rows, and a text's bits
/// do not depend on the others: they are those of a full forward pass over the whole of it, unless frequencies of its
/// rotary positions go by its length: then rows have those of the length that it had when they came, as in the caches
/// of transformers. Texts of Phi-3 that outgrow its short factors run once more from their start, as there.
template <class T>
class growing_texts {
public:
    /// More tokens of one text.
    struct step {
        index text = 0;  ///< as `add` counted
        std::span<token_id const> tokens;
    };

    /// @param engine  kept as a reference
    /// @param plan    whose hooks see every row; kept as a reference
    growing_texts(engine<T> const& engine, hooks::plan<T> const& plan)
        : engine_{engine}, plan_{plan}, runner_{engine.runner()} {}

    /// Begins a text of at most `positions` tokens. @param item  what its rows are called
    /// @throws usage_error if the model's context ends before
    index add(index item, index positions) {
        index const most = engine_.facts().context_length;
        if (positions > most) {
            throw usage_error("prompt ", item, ": ", positions,
                              " positions are asked for, the model's context ends at ", most,
                              ": ask for fewer tokens, or shorten the prompt");
        }
        texts_.push_back({item, 0, engine_.keep(0, engine_.layers(), positions)});
        return static_cast<index>(texts_.size()) - 1;
    }

    /// Forgets what is kept of a text.
    void finish(index text) { of(text).cache.reset(); }

    /// Tokens that a text has so far.
    index length(index text) const { return texts_[static_cast<std::size_t>(text)].length; }

    /// Runs more tokens, each text's at the positions that come next. Rows carry {item, position}; `last` is that of
    /// the row whose logits are returned. Logits of other rows are computed only if a hook wants them.
    /// @param steps  [N], of different texts, none without tokens; tokens in [0, V)
    /// @return logits of the token after each text, on the host, [N, V]
    /// @throws usage_error beyond the positions of a text; numeric_error
    tensor::buffer<T, 2> advance(std::span<step const> steps) {
        nn::rows rows;
        std::vector<index> last_rows;
        for (auto const& one : steps) {
            auto& text = of(one.text);
            auto const count = static_cast<index>(one.tokens.size());
            if (count == 0) throw usage_error("prompt ", text.item, " is to run on by no token: give at least one");
            if (text.length + count > text.cache->positions()) {
                throw usage_error("prompt ", text.item, " grows beyond the ", text.cache->positions(),
                                  " positions that it was given: give it more at the start");
            }
            hooks::row_id first;
            first.item = text.item;
            first.position = text.length;
            bool const anew = restarts(text, one.tokens);
            if (anew) first.position = 0;
            rows.add(first, anew ? text.tokens : one.tokens, text.cache.get(), text.cache.get());
            rows.ids.back().last = true;
            text.length += count;
            last_rows.push_back(rows.count() - 1);
        }
        block_run<T> run{.rows = rows, .plan = &plan_, .last = engine_.layers()};
        run.read_out_for_plan();
        runner_->run(run);
        return runner_->logits_of(last_rows);
    }

private:
    struct growing_text {
        index item = 0;
        index length = 0;
        std::unique_ptr<nn::kept_keys> cache;
        std::vector<token_id> tokens = {};  // where it may have to run anew
    };

    /// Whether a text runs anew from its start, since the keys that are kept are not those of the longer text.
    bool restarts(growing_text& text, std::span<token_id const> more) {
        bool anew = false;
        for (auto const& of : engine_.facts().ropes) {
            if (of.restarts && text.tokens.size() == static_cast<std::size_t>(text.length))
                text.tokens.insert(text.tokens.end(), more.begin(), more.end());
            anew |= text.length > 0 && of.restart(text.length, text.length + static_cast<index>(more.size()));
        }
        return anew;
    }
    growing_text& of(index text) { return texts_[static_cast<std::size_t>(text)]; }

    engine<T> const& engine_;
    hooks::plan<T> const& plan_;
    std::vector<growing_text> texts_;
    std::unique_ptr<block_runner<T>> runner_;
};

PLATEAU_COMPILED_CLASS(growing_texts);

}  // namespace plateau::engine
