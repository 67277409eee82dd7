#pragma once
/// A model on some backend as everything above sees it: blocks of rows go in, hooks see what becomes of them.

#include <algorithm>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include <plateau/backend/logit_summary.hpp>
#include <plateau/backend/rows.hpp>
#include <plateau/engine/block_run.hpp>
#include <plateau/engine/prompts.hpp>
#include <plateau/models/layer_turns.hpp>
#include <plateau/nn/rope.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::engine {

/// Takes blocks of rows through a model, one after the other. Owned by one thread; memory grows to the largest block.
template <class T>
class block_runner {
public:
    virtual ~block_runner() = default;

    /// @return false if `run.enter` ended it
    /// @throws not_finite_error naming the layer and the row's item; what hooks throw
    virtual bool run(block_run<T> const& run) = 0;

    /// Logits [n, V] of some rows, in rising order, of the block that ran last: read out now, unless they were. Then
    /// the block is over.
    virtual tensor::buffer<T, 2> logits_of(std::vector<index> const& rows) = 0;
};

/// Logits of a few tokens, with the bits that they have among all.
template <class T>
class chosen_logits {
public:
    virtual ~chosen_logits() = default;
    /// @param x  [R, D], what the unembedding takes, on the host      @return [R, n]
    virtual tensor::buffer<T, 2> of(tensor::view<T const, 2> x) const = 0;
};

/// What is known of a model.
struct model_facts {
    std::vector<hooks::site> sites;              ///< every hook point in firing order
    int layers = 0;                              ///< L
    index width = 0;                             ///< D
    index vocabulary = 0;                        ///< V
    index tokens = 0;                            ///< that have an embedding
    index context_length = 0;                    ///< positions that the model was made for
    index kv_width = 0;                          ///< KV · E
    double logit_cap = 0;                        ///< c > 0: logits become c·tanh(logit / c)
    int threads = 1;                             ///< that walk blocks of rows through the layers at a time
    index block_rows = 0;                        ///< rows that best travel together
    std::vector<nn::rope_lengths> ropes = {};    ///< whose frequencies go by the length of a prompt
    models::layer_turns const* turns = nullptr;  ///< in which its layers are in memory; null if all of them are
};

/// A model on a backend. What is computed is the backend's and the model's own; when, with which rows, and what is made
/// of it are functions over these. Calls of several threads are safe.
template <class T>
class engine {
public:
    virtual ~engine() = default;
    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;

    model_facts const& facts() const { return facts_; }
    std::vector<hooks::site> const& sites() const { return facts_.sites; }
    int layers() const { return facts_.layers; }
    index width() const { return facts_.width; }
    int threads() const { return facts_.threads; }

    virtual std::unique_ptr<block_runner<T>> runner() const = 0;

    /// Makes runners that know tangents, one for each thread; null where nobody said how. @see differentiable
    using tangent_maker = std::vector<std::unique_ptr<block_runner<T>>> (*)(engine const&);
    tangent_maker makes_tangents() const { return tangents_; }
    /// What derivatives keep of the model from call to call: made when the first one asks.
    template <class Kept, class Make>
    std::shared_ptr<Kept> kept_for_derivatives(Make const& make) const {
        std::lock_guard const lock{guard_};
        if (!kept_) kept_ = make();
        return std::static_pointer_cast<Kept>(kept_);
    }
    void make_tangents_by(tangent_maker maker) { tangents_ = maker; }

    /// Memory for keys and values of `positions` positions in the layers [first_layer, first_layer + layers).
    /// @throws memory_error
    virtual std::unique_ptr<nn::kept_keys> keep(int first_layer, int layers, index positions) const = 0;

    /// @param from,to  [lines, D] each
    virtual std::unique_ptr<line_ends> lines(tensor::buffer<T, 2> from, tensor::buffer<T, 2> to) const = 0;

    /// Makes the work memory of runners for blocks of rows, where the backend makes it beforehand.
    /// @param wanted  rows of a block; 0: as many as suit the backend      @param most    rows that there are
    /// @param logits  rows have logits too      @return rows that a block may have      @throws memory_error
    virtual index reserve(std::vector<std::unique_ptr<block_runner<T>>> const& runners, index wanted, index most,
                          bool logits) const = 0;

    /// Log-sum-exp, KL and best tokens of the logits of x, never stored. @param x  [R, D], on the host
    /// @param best  [R, k], may have no columns      @see backend::summarise_logits
    virtual void summarise_logits(tensor::view<T const, 2> x, std::span<index const> references,
                                  std::span<backend::logit_summary> summaries,
                                  tensor::view<backend::scored_token<T>, 2> best) const = 0;

    /// log p of one token a row, in nats, of logits never stored. @param x  [R, D], on the host
    virtual void log_probabilities(tensor::view<T const, 2> x, std::span<index const> targets,
                                   std::span<double> result) const = 0;

    /// Rows of the unembedding, [n, D], and their biases (0 where there are none). @param tokens  [n] in [0, V)
    struct unembedded {
        tensor::buffer<T, 2> rows;
        std::vector<double> biases;
    };
    virtual unembedded unembedding_of(std::vector<index> const& tokens) const = 0;
    virtual std::unique_ptr<chosen_logits<T>> logits_of(std::vector<index> const& tokens) const = 0;

    /// Bytes of keys and values of `positions` positions in `layers` layers.
    index kept_bytes(int layers, index positions) const {
        return index{2} * layers * positions * facts_.kv_width * static_cast<index>(sizeof(T));
    }

    /// Rows per batch that keep the threads busy with `total` rows: on the CPU 60 to 504.
    index batch_rows(index total) const;

    /// Blocks of rows that are under way at a time, each on a thread of its own: one for each thread that computes, and
    /// more where layers take turns and blocks wait for them.
    int under_way() const { return facts_.turns == nullptr ? threads() : facts_.turns->limits().blocks; }

    /// A runner for each of them.
    std::vector<std::unique_ptr<block_runner<T>>> runners() const {
        std::vector<std::unique_ptr<block_runner<T>>> all;
        for (int i = 0; i < under_way(); ++i) all.push_back(runner());
        return all;
    }
    /// Bytes of keys and values of prefixes at a time. @param wanted  at most
    index prefix_bytes(index wanted) const {
        return facts_.turns == nullptr ? wanted : std::min(wanted, facts_.turns->limits().prefix_bytes);
    }

    /// @throws usage_error unless every prompt fits the model
    void require_prompts(prompt_list const& prompts) const {
        plateau::engine::require_prompts(prompts, facts_.tokens, facts_.context_length);
    }

protected:
    explicit engine(model_facts facts) : facts_{std::move(facts)} {}

private:
    model_facts facts_;
    tangent_maker tangents_ = nullptr;
    mutable std::mutex guard_;
    mutable std::shared_ptr<void> kept_;
};

template <class T>
index engine<T>::batch_rows(index total) const {
    index const each = backend::whole_tiles((total + threads() - 1) / threads());
    return std::clamp(each, index{60}, (facts_.turns == nullptr ? 2 : 1) * facts_.block_rows);
}

}  // namespace plateau::engine
