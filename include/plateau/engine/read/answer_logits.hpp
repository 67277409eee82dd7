#pragma once
/// Logits of a few tokens along paths, of each pair its own.

#include <cmath>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/engine.hpp>
#include <plateau/engine/read/read_out.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::engine {

/// Reads the logits of K tokens of each pair, at the last position of every row: those of the answers that both clean
/// runs give, for `metrics::normalised_logit_difference`. K of the V columns of the unembedding, in double.
///     answer_logits<float> logits{engine, answers, points};
///     interpolate(model, prompts, pairs, points, {...}, logits.reads());
template <class T>
class answer_logits {
public:
    /// @param answers  [P][K] token ids, as many of every pair      @param points  S
    /// @throws usage_error if pairs differ in K, or a token is not in the model's vocabulary
    answer_logits(engine<T> const& engine, std::vector<std::vector<token_id>> const& answers, index points)
        : cap_{engine.facts().logit_cap}, count_{answers.empty() ? 0 : static_cast<index>(answers.front().size())},
          values_{{static_cast<index>(answers.size()), count_, points}} {
        index const vocabulary = engine.facts().vocabulary;
        std::vector<index> tokens;
        for (auto const& of_pair : answers) {
            if (static_cast<index>(of_pair.size()) != count_) {
                throw usage_error("every pair needs as many answers, got ", count_, " and ", of_pair.size());
            }
            for (token_id const token : of_pair) {
                if (token < 0 || token >= vocabulary) {
                    throw usage_error("token ", token, " is not in the model's vocabulary [0, ", vocabulary, ")");
                }
                tokens.push_back(token);
            }
        }
        columns_ = engine.unembedding_of(tokens);
    }

    /// A hook for the sweep. Lives no longer than this.
    hooks::hook_set<T> reads() {
        return each_read_out<T>("unembed.hook_in", [this](read_out<T> const& r) {
            for (index k = 0; k < count_; ++k) {
                index const n = r.pair * count_ + k;
                double const logit =
                    tensor::dot(r.value, columns_.rows[n].flat()) + columns_.biases[static_cast<std::size_t>(n)];
                values_(r.pair, k, r.point) = cap_ > 0 ? cap_ * std::tanh(logit / cap_) : logit;
            }
        });
    }

    /// The logits of answer k of a pair along its path, [S]. Those of a row that no sweep has run are 0.
    std::span<double const> of(index pair, index k) const { return values_[pair][k].flat(); }

private:
    double cap_;
    index count_;
    typename engine<T>::unembedded columns_;  // [P · K, D] and [P · K]
    tensor::buffer<double, 3> values_;        // [P, K, S]
};

PLATEAU_COMPILED_CLASS(answer_logits);

}  // namespace plateau::engine
