#pragma once
/// Losses of the tokens of texts, run in windows.

#include <functional>
#include <limits>
#include <vector>

#include <plateau/corpus/padded_prompts.hpp>
#include <plateau/corpus/text_windows.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/read/token_losses.hpp>

namespace plateau::sweep {

/// Texts cut into windows, each a prompt. A token counts in the first window that holds it, unless it begins that
/// window and so has nothing before it.
struct cut_texts {
    index length = 0, stride = 0;
    index text_tokens = 0, run_tokens = 0;  ///< of all texts; of all windows
    prompt_list texts, prompts = {};
    std::vector<corpus::text_window> windows = {};
    std::vector<std::size_t> places = {};  ///< of each window's first token in [N,T]
};

/// @throws usage_error if length and stride make no sense, or there is nothing to predict
inline cut_texts cut(prompt_list texts, index length, index stride) {
    cut_texts all{.length = length, .stride = stride, .texts = std::move(texts)};
    auto const longest = static_cast<std::size_t>(corpus::longest_of(all.texts));
    for (std::size_t i = 0; i < all.texts.size(); ++i) {
        auto const& text = all.texts[i];
        all.text_tokens += static_cast<index>(text.size());
        for (auto const& window : corpus::text_windows(static_cast<index>(text.size()), length, stride)) {
            all.prompts.emplace_back(text.begin() + window.begin, text.begin() + window.end);
            all.windows.push_back(window);
            all.places.push_back(i * longest + static_cast<std::size_t>(window.begin));
            all.run_tokens += window.end - window.begin;
        }
    }
    if (all.prompts.empty()) throw usage_error("there is nothing to predict: a text needs 2 tokens or more");
    return all;
}

/// [N,T]: −log p(token | those before it in its window), nats; NaN where a token does not count. With a stride of the
/// length it is transformers' `model(ids, labels=ids).loss` of every window, token by token.
/// @param progress  told of tokens run; called concurrently      @throws as engine::token_losses
template <class T>
std::vector<double> text_losses(model<T> const& model, cut_texts const& cut,
                                std::function<void(index)> const& progress = {}) {
    auto const by_window = engine::token_losses(model.engine(), cut.prompts, {}, progress);
    std::vector<double> all(cut.texts.size() * static_cast<std::size_t>(corpus::longest_of(cut.texts)),
                            std::numeric_limits<double>::quiet_NaN());
    for (std::size_t w = 0; w < cut.windows.size(); ++w) {
        auto const& window = cut.windows[w];
        for (index t = window.scored - window.begin; t < window.end - window.begin; ++t)
            all[cut.places[w] + static_cast<std::size_t>(t)] = by_window[w][static_cast<std::size_t>(t) - 1];
    }
    return all;
}

}  // namespace plateau::sweep
