#pragma once
/// Shuffled keys: the control of energies, in which no key is one that the model made.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/rng.hpp>
#include <plateau/engine/model.hpp>

namespace plateau::sweep {

/// Keys of prompts' own runs before their last positions, every coordinate in random order over the positions, for each
/// prompt, block and coordinate its own: marginals stay, patterns go.
template <class T>
class shuffled_keys {
public:
    shuffled_keys() = default;

    /// @param wanted  [N] whether a prompt's keys will be asked for
    shuffled_keys(model<T> const& model, prompt_list const& prompts, std::vector<char> const& wanted,
                  std::uint64_t seed)
        : layers_{model.layers()}, group_{model.config.heads / model.config.kv_heads}, width_{model.config.d_head} {
        prompt_list run;
        std::vector<std::size_t> numbers;  // of those that run
        keys_.resize(prompts.size() * static_cast<std::size_t>(layers_));
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            if (wanted[i] == 0) continue;
            run.push_back(prompts[i]), numbers.push_back(i);
            for (int layer = 0; layer < layers_; ++layer)
                keys_[number(static_cast<index>(i), layer)] =
                    tensor::buffer<T, 2>({static_cast<index>(prompts[i].size()) - 1, model.config.kv_heads * width_});
        }
        hooks::hook_set<T> reads;
        bool const rotated = std::any_of(model.sites().begin(), model.sites().end(),
                                         [](hooks::site const& one) { return one.id == hooks::site_id::rot_k; });
        reads = hooks::capture<T>(rotated ? "blocks.*.attn.hook_rot_k" : "blocks.*.attn.hook_k",
                                  [&](hooks::rows_at<T>& here) {
            auto const rows = here.read();
            for (index r = 0; r < here.count(); ++r) {
                auto const& row = here.rows[static_cast<std::size_t>(r)];
                if (row.last) continue;
                auto const prompt = static_cast<index>(numbers[static_cast<std::size_t>(row.item)]);
                auto& into = keys_[number(prompt, here.at.layer)];
                std::copy_n(rows[r].data(), into.extent(1), into[row.position].data());
            }
        });
        model.run(run, reads);
        counter_rng const seeds{seed};
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            counter_rng rng{seeds.at(i)};
            auto& keys = keys_[i];
            std::vector<T> column(static_cast<std::size_t>(keys.extent(0)));
            for (index d = 0; d < keys.extent(1); ++d) {
                for (index k = 0; k < keys.extent(0); ++k) column[static_cast<std::size_t>(k)] = keys(k, d);
                shuffle(std::span{column}, rng);
                for (index k = 0; k < keys.extent(0); ++k) keys(k, d) = column[static_cast<std::size_t>(k)];
            }
        }
    }

    /// Puts β ⟨key, q⟩ of the shuffled keys in place of the scores before the last one; keys out of sight stay so.
    /// @param queries  [S, E]      @param scores  [S, T]
    void rescore(index prompt, int layer, index head, tensor::view<double const, 2> queries, double beta,
                 tensor::view<double, 2> scores) const {
        auto const& keys = keys_[number(prompt, layer)];
        for (index i = 0; i < scores.extent(0); ++i) {
            for (index k = 0; k + 1 < scores.extent(1); ++k) {
                if (std::isinf(scores(i, k))) continue;
                double sum = 0;
                for (index d = 0; d < width_; ++d)
                    sum += queries(i, d) * static_cast<double>(keys(k, head / group_ * width_ + d));
                scores(i, k) = beta * sum;
            }
        }
    }

private:
    std::size_t number(index prompt, int layer) const { return static_cast<std::size_t>(prompt * layers_ + layer); }

    int layers_ = 0;
    index group_ = 1, width_ = 0;
    std::vector<tensor::buffer<T, 2>> keys_;  // by prompt and block: [T − 1, KV · E]
};

}  // namespace plateau::sweep
