#pragma once
/// Pairs of prompts that end alike, and matched ones that do not.

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/corpus/pairings.hpp>
#include <plateau/corpus/windows.hpp>

namespace plateau::corpus {

/// A context with two others, one that ends with its last token and one that does not.
struct matched_triple {
    index context;
    index same;
    index different;
};

namespace detail {

/// The prompts by last token, tokens ascending, each group in an order drawn at random.
/// @throws usage_error if a prompt is empty
inline std::map<token_id, std::vector<index>> by_last_token(token_lists const& prompts, counter_rng& rng) {
    std::map<token_id, std::vector<index>> groups;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        if (prompts[i].empty()) throw usage_error("prompt ", i, " is empty: it has no last token");
        groups[prompts[i].back()].push_back(static_cast<index>(i));
    }
    for (auto& [token, group] : groups) shuffle(std::span{group}, rng);
    return groups;
}

}  // namespace detail

/// Pairs that end with the same token, each prompt in one at most, as many as there are: Σ ⌊n_v / 2⌋ over the last
/// tokens v of n_v prompts. Independent, so that their statistics need no blocks. @param seed  of who is paired with
/// whom
/// @throws usage_error if a prompt is empty
inline std::vector<pair> same_last_token_pairs(token_lists const& prompts, std::uint64_t seed) {
    counter_rng rng{seed};
    std::vector<pair> pairs;
    for (auto const& [token, group] : detail::by_last_token(prompts, rng)) {
        for (std::size_t i = 0; i + 1 < group.size(); i += 2) pairs.push_back({group[i], group[i + 1]});
    }
    return pairs;
}

/// (context, same, different): the context's last token is that of `same` and not that of `different`. Each prompt is
/// in one triple at most, so that triples are independent, and what differs within one is a paired difference.
/// Prompts whose last token no other has, and those left over of a group, serve as `different`; further contexts are
/// given up for that where they do not suffice, so that there are at most ⌊N / 3⌋ triples.
/// @param seed  of who goes with whom      @post none if no two prompts end alike, or all do
/// @throws usage_error if a prompt is empty
inline std::vector<matched_triple> last_token_triples(token_lists const& prompts, std::uint64_t seed) {
    counter_rng rng{seed};
    std::vector<pair> pairs;
    std::vector<index> rest;
    for (auto const& [token, group] : detail::by_last_token(prompts, rng)) {
        for (std::size_t i = 0; i + 1 < group.size(); i += 2) pairs.push_back({group[i], group[i + 1]});
        if (group.size() % 2 == 1) rest.push_back(group.back());
    }
    shuffle(std::span{pairs}, rng);
    while (pairs.size() > rest.size()) {  // one pair less, two more that may be `different`
        rest.insert(rest.end(), pairs.back().begin(), pairs.back().end());
        pairs.pop_back();
    }
    shuffle(std::span{rest}, rng);
    auto const ending = [&](index prompt) { return prompts[static_cast<std::size_t>(prompt)].back(); };
    std::vector<matched_triple> triples;
    for (auto const& [context, same] : pairs) {
        auto const other = std::find_if(rest.begin(), rest.end(),
                                        [&, token = ending(context)](index prompt) { return ending(prompt) != token; });
        if (other == rest.end()) continue;
        triples.push_back({context, same, *other});
        rest.erase(other);
    }
    return triples;
}

}  // namespace plateau::corpus
