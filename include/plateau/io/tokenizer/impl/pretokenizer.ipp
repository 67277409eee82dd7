#pragma once
/// Bodies of io/tokenizer/pretokenizer.hpp.

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/tokenizer/pattern.hpp>
#include <plateau/io/tokenizer/pretokenizer.hpp>
#include <plateau/io/tokenizer/replaced.hpp>
#include <plateau/io/tokenizer/text_step.hpp>

namespace plateau::io {

PLATEAU_INLINE pretokenizer::pretokenizer(std::vector<text_step> steps) : steps_{std::move(steps)} {
    for (auto const& step : steps_) {
        if (step.what == text_step::action::split_at_pattern) patterns_.push_back(word_pattern{step.text});
    }
}

/// The pieces of a text by one split, matches and others, before the behaviour joins them.
PLATEAU_INLINE_HOT void pretokenizer::cut(std::size_t step, std::string_view text, match_sink const& piece) const {
    if (steps_[step].what == text_step::action::split_at_pattern) {
        std::size_t pattern = 0;
        for (std::size_t i = 0; i < step; ++i) pattern += steps_[i].what == text_step::action::split_at_pattern;
        return patterns_[pattern].split(text, piece);
    }
    auto const& mark = steps_[step].text;
    while (!text.empty()) {
        auto const at = text.find(mark);
        if (at != 0) piece(text.substr(0, at), false);
        if (at == std::string_view::npos) return;
        piece(text.substr(at, mark.size()), true);
        text.remove_prefix(at + mark.size());
    }
}

PLATEAU_INLINE_HOT void pretokenizer::run(std::size_t step, std::string_view text, bool first,
                                          word_sink const& word) const {
    using action = text_step::action;
    if (text.empty()) return;
    if (step == steps_.size()) return word(text);
    auto const& now = steps_[step];
    if (now.what == action::replace) return run(step + 1, replaced(text, now.text, now.content), first, word);
    if (now.what == action::prefix || now.what == action::prefix_first) {
        bool const here = (first || now.what == action::prefix) && !text.starts_with(now.text);
        return here ? run(step + 1, concat({now.text, text}), first, word) : run(step + 1, text, first, word);
    }
    bool const last = step + 1 == steps_.size();
    auto const emit = [&](std::string_view piece) {
        if (last) word(piece);
        else run(step + 1, piece, first && piece.data() == text.data(), word);
    };
    if (now.behavior == split_behavior::isolated) return cut(step, text, [&](auto piece, bool) { emit(piece); });

    std::string_view waiting;  // may still be joined
    bool before = false;       // whether the last piece was a match
    cut(step, text, [&](std::string_view piece, bool match) {
        match = match != now.invert;
        bool const joins = now.behavior == split_behavior::contiguous             ? match == before
                           : now.behavior == split_behavior::merged_with_previous ? match && !before
                           : now.behavior == split_behavior::merged_with_next     ? before && !match
                                                                                  : false;
        before = match;
        if (joins && !waiting.empty()) {
            waiting = {waiting.data(), waiting.size() + piece.size()};
            return;
        }
        if (!waiting.empty()) emit(waiting);
        waiting = match && now.behavior == split_behavior::removed ? std::string_view{} : piece;
    });
    if (!waiting.empty()) emit(waiting);
}

}  // namespace plateau::io
