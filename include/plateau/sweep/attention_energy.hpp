#pragma once
/// Energies of attention heads along paths between activations, beside what no rescaling of queries and keys moves.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <plateau/engine/read/whole_paths.hpp>
#include <plateau/metrics/attention_landscape.hpp>
#include <plateau/metrics/jensen_shannon.hpp>
#include <plateau/models/assemble.hpp>
#include <plateau/sweep/curves.hpp>
#include <plateau/sweep/named_paths.hpp>
#include <plateau/sweep/random_lines.hpp>
#include <plateau/sweep/shuffled_keys.hpp>

namespace plateau::sweep {

struct attention_energy_options {
    std::string write = "blocks.0.hook_resid_post";
    std::string read = "ln_final.hook_out";
    std::string path = "linear";               ///< one of path_names
    std::vector<double> path_mean = {};        ///< of path_mean_of, where it is known
    bool random_direction = false;             ///< straight lines of the same length in random directions instead
    bool shuffled_keys = false;                ///< keys before the last position shuffled, each coordinate on its own
    std::uint64_t seed = 0;                    ///< of both
    index first_pair = 0;                      ///< number of the first pair, of which random directions are made
    index steps = 50;                          ///< points of a pair, α = i / (steps − 1)
    std::function<void(index)> progress = {};  ///< told of points; called concurrently
};

/// One head's numbers along one pair's path, [S] each. @see metrics::attention_landscape
struct head_path {
    index pair;
    int layer;
    index head;
    std::vector<double> fixed, centred, own, entropy, margin;
    std::vector<double> from_start;  ///< Jensen-Shannon distance of the pattern to that at α = 0
    std::vector<index> likeliest;
};

/// The attention of one block, by the sites that tell its scores and the queries in them.
struct attention_site {
    int layer;
    std::string queries, scores;
};

/// Those whose queries follow what is written. @throws site_error if there are none
inline std::vector<attention_site> attentions_behind(std::vector<hooks::site> const& sites, std::string const& write) {
    using hooks::site_id;
    auto const written = engine::resolve_write_site(sites, write);
    std::vector<attention_site> all;
    bool behind = false;
    std::string queries;
    for (auto const& site : sites) {
        behind = behind || written.is(site);
        if (site.id == site_id::resid_pre) queries.clear();
        if (behind && (site.id == site_id::q || site.id == site_id::rot_q)) queries = site.name();
        if (site.id == site_id::attn_scores && !queries.empty()) all.push_back({site.layer, queries, site.name()});
    }
    if (all.empty()) throw site_error("no attention follows what is written at ", write, ": write earlier");
    return all;
}

namespace detail {

/// Queries of the last position between the hook that sees them and the one that sees the scores of the same rows.
template <class T>
class waiting_queries {
public:
    void put(int layer, index pair, tensor::view<T const, 2> queries) {
        tensor::buffer<double, 2> kept(queries.extents());
        for (index i = 0; i < kept.extent(0); ++i) std::copy_n(queries[i].data(), kept.extent(1), kept[i].data());
        std::lock_guard const lock{guard_};
        waiting_[{layer, pair}] = std::move(kept);
    }
    tensor::buffer<double, 2> take(int layer, index pair) {
        std::lock_guard const lock{guard_};
        return std::move(waiting_.extract({layer, pair}).mapped());
    }

private:
    std::mutex guard_;
    std::map<std::pair<int, index>, tensor::buffer<double, 2>> waiting_;
};

/// @param scores  [S, T] of one head      @param queries  [S, E]
inline head_path head_path_of(tensor::view<double const, 2> scores, tensor::view<double const, 2> queries,
                              double beta) {
    head_path all;
    std::vector<double> first;
    for (index i = 0; i < scores.extent(0); ++i) {
        auto const row = scores[i].flat(), q = queries[i].flat();
        auto const here = metrics::attention_landscape_of(row, beta, tensor::dot(q, q));
        all.fixed.push_back(here.fixed);
        all.centred.push_back(here.centred);
        all.own.push_back(here.own);
        all.entropy.push_back(here.entropy);
        all.margin.push_back(here.margin);
        all.likeliest.push_back(here.likeliest);
        auto pattern = metrics::log_softmax(row);
        for (double& p : pattern) p = std::exp(p);
        if (i == 0) first = pattern;
        all.from_start.push_back(metrics::jensen_shannon_distance(first, pattern));
    }
    return all;
}

}  // namespace detail

/// Moves each pair's activation from A to B in the context's run, and hands the path of every head of every block
/// behind the write site to `take`, concurrently; nothing of it is kept. Scores and queries are the engine's own: keys
/// normed, rotated, of the head's group, within its window.
/// @param take  (head_path&&)      @param also  what else to read      @return d(α) of the read site
/// @throws config_error where scores are capped (the energy's gradient is another then), or the model's configuration
///         does not tell its heads; site_error where no attention follows the point; as distances_along
/// @see Ramsauer et al. 2021, arXiv 2008.02217
template <class T, class Take>
distance_curves attention_energies(model<T> const& model, prompt_list const& prompts,
                                   std::vector<prompt_pair> const& pairs, attention_energy_options const& o,
                                   Take const& take, hooks::hook_set<T> const& also = {}) {
    auto const& config = model.config;
    if (config.heads <= 0 || config.d_head <= 0)
        throw config_error("energies need the heads that a configuration tells, and this model has none");
    if (config.score_cap > 0)
        throw config_error("scores of this model are capped (c tanh(score / c)): no energy of keys has them for slope");
    // two hooks a block: queries fire first and wait for the scores of the same rows
    std::vector<char> contexts(prompts.size());
    for (auto const& pair : pairs) {
        if (pair.context >= 0 && pair.context < std::ssize(prompts))
            contexts[static_cast<std::size_t>(pair.context)] = 1;
    }
    auto const keys = o.shuffled_keys ? shuffled_keys<T>{model, prompts, contexts, o.seed} : shuffled_keys<T>{};
    detail::waiting_queries<T> waiting;
    auto reads = also;
    auto const attentions = attentions_behind(model.sites(), o.write);
    for (auto const& attention : attentions) {
        int const layer = attention.layer;
        double const beta = static_cast<double>(models::make_attention_shape<T>(config, layer).scale);
        auto const keep = [&waiting, layer](index pair, tensor::view<T const, 2> q) { waiting.put(layer, pair, q); };
        auto const look = [&, layer, beta](index pair, tensor::view<T const, 2> scores) {
            auto const q = waiting.take(layer, pair);
            index const heads = config.heads, length = scores.extent(1) / heads, width = q.extent(1) / heads;
            for (index h = 0; h < heads; ++h) {
                // one head's scores [S, T] and queries [S, E], in double
                tensor::buffer<double, 2> of_head({scores.extent(0), length}), query({scores.extent(0), width});
                for (index i = 0; i < scores.extent(0); ++i) {
                    std::copy_n(scores[i].data() + h * length, length, of_head[i].data());
                    std::copy_n(q[i].data() + h * width, width, query[i].data());
                }
                if (o.shuffled_keys)
                    keys.rescore(pairs[static_cast<std::size_t>(pair)].context, layer, h, query, beta, of_head);
                auto path = detail::head_path_of(of_head, query, beta);
                path.pair = pair, path.layer = layer, path.head = h;
                take(std::move(path));
            }
        };
        reads = reads | engine::read_paths<T>(attention.queries, keep) | engine::read_paths<T>(attention.scores, look);
    }
    path_points<T> const along{model, prompts, o.path, o.write, o.steps, o.path_mean};
    engine::setup const where{.write = o.write, .read = o.read, .progress = o.progress};
    return distances_along(model, prompts, pairs, paths::even_grid(0, 1, o.steps),
                           o.random_direction ? random_lines<T>(o.steps, o.seed, o.first_pair) : along.points, where,
                           reads);
}

}  // namespace plateau::sweep
