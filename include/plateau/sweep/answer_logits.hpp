#pragma once
/// Logits of a few tokens along paths, of each pair its own.

#include <cmath>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/hooks/hook_set.hpp>
#include <plateau/tensor/lane_sum.hpp>

namespace plateau::sweep {

/// Reads the logits of K tokens of each pair, at the last position of every row: those of the answers that both clean
/// runs give, for `metrics::normalised_logit_difference`. K of the V columns of the unembedding, in double.
///     answer_logits<context, float> logits{ctx, model, answers, steps};
///     interpolate(ctx, model, prompts, pairs, {...}, logits.reads());
template <class Context, class Model>
class answer_logits {
public:
    using T = typename Model::value_type;

    /// @param answers  [P][K] token ids, as many of every pair      @param points  S
    /// @throws usage_error if pairs differ in K, or a token is not in the model's vocabulary
    [[gnu::cold]] answer_logits(Context const& ctx, Model const& model,
                                std::vector<std::vector<token_id>> const& answers, index points)
        : cap_{static_cast<double>(model.logit_cap)}, count_{answers.empty()
                                                                 ? 0
                                                                 : static_cast<index>(answers.front().size())},
          values_{{static_cast<index>(answers.size()), count_, points}} {
        auto const bias = backend::to_host(ctx, model.unembedding_bias);
        std::vector<index> tokens;
        for (auto const& of_pair : answers) {
            if (static_cast<index>(of_pair.size()) != count_)
                throw usage_error("every pair needs as many answers, got ", count_, " and ", of_pair.size());
            for (token_id const token : of_pair) {
                if (token < 0 || token >= model.vocabulary()) {
                    throw usage_error("token ", token, " is not in the model's vocabulary [0, ", model.vocabulary(),
                                      ")");
                }
                tokens.push_back(token);
                biases_.push_back(bias.size() > 0 ? static_cast<double>(bias(token)) : 0);
            }
        }
        auto columns = backend::allocate<T>(ctx, std::array{static_cast<index>(tokens.size()), model.width()});
        if (!tokens.empty()) backend::gather_rows<T>(ctx, *model.unembedding, tokens, columns);
        columns_ = backend::to_host(ctx, columns);
    }

    /// A hook for the sweep. Lives no longer than this.
    hooks::hook_set<T> reads() {
        return hooks::capture<T>("unembed.hook_in",
                                 [this](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                auto const& row = w.rows[r];
                if (!row.last || row.repeated) continue;
                auto const x = rows[static_cast<index>(r)].flat();
                for (index k = 0; k < count_; ++k) {
                    index const n = row.item * count_ + k;
                    double const logit = tensor::dot(x, columns_[n].flat()) + biases_[static_cast<std::size_t>(n)];
                    values_(row.item, k, row.point) = cap_ > 0 ? cap_ * std::tanh(logit / cap_) : logit;
                }
            }
        });
    }

    /// The logits of answer k of a pair along its path, [S]. Those of a row that no sweep has run are 0.
    std::span<double const> of(index pair, index k) const { return values_[pair][k].flat(); }

private:
    double cap_;
    index count_;
    tensor::buffer<T, 2> columns_;      // [P · K, D]
    std::vector<double> biases_;        // [P · K]
    tensor::buffer<double, 3> values_;  // [P, K, S]
};

}  // namespace plateau::sweep
