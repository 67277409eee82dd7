#pragma once
/// Byte-pair encoding of one word.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::io {

namespace detail {

/// Lets maps with string keys be searched by views.
struct string_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace detail

/// Tokens of a byte-level vocabulary by the bytes that they stand for, and the merges between them.
class bpe {
public:
    using vocabulary = std::unordered_map<std::string, token_id, detail::string_hash, std::equal_to<>>;

    /// Working memory of encode; one for each thread.
    struct scratch {
        struct symbol {
            token_id id;
            std::ptrdiff_t previous, next;  // -1 at the ends
            bool merged;                    // into its left neighbour
        };
        struct candidate {
            std::uint32_t rank;
            token_id result;
            std::ptrdiff_t at;
        };
        std::vector<symbol> symbols;
        std::vector<candidate> queue;
    };

    /// @param unknown      stands for a byte that has no token; without it such bytes vanish
    /// @param whole_words  a word that is itself a token is not taken apart ("ignore_merges")
    bpe(vocabulary tokens, std::optional<token_id> unknown, bool whole_words)
        : tokens_{std::move(tokens)}, unknown_{unknown}, whole_words_{whole_words} {
        for (int byte = 0; byte < 256; ++byte) {
            auto const at = tokens_.find(std::string(1, static_cast<char>(byte)));
            if (at != tokens_.end()) bytes_[static_cast<std::size_t>(byte)] = at->second;
        }
    }

    vocabulary const& tokens() const { return tokens_; }

    /// Of several merges, that with the lowest rank goes first. The last word on a pair holds.
    void add_merge(token_id left, token_id right, token_id result, std::uint32_t rank) {
        merges_.insert_or_assign(key(left, right), merge{rank, result});
    }

    /// Appends the tokens of a word: repeatedly merges the neighbours of lowest rank, the leftmost first.
    /// O(n log n) in the bytes of the word.
    void encode(std::string_view word, std::vector<token_id>& out, scratch& work) const;

private:
    struct merge {
        std::uint32_t rank;
        token_id result;
    };
    struct pair_hash {
        std::size_t operator()(std::uint64_t pair) const {
            pair *= 0x9E3779B97F4A7C15u;
            return static_cast<std::size_t>(pair ^ (pair >> 32));
        }
    };

    static std::uint64_t key(token_id left, token_id right) {
        return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
    }

    merge const* find_merge(scratch const& work, std::ptrdiff_t at) const {
        auto const& left = work.symbols[static_cast<std::size_t>(at)];
        if (left.next < 0) return nullptr;
        auto const found = merges_.find(key(left.id, work.symbols[static_cast<std::size_t>(left.next)].id));
        return found == merges_.end() ? nullptr : &found->second;
    }

    void split(std::string_view word, scratch& work) const;
    void push(scratch& work, std::ptrdiff_t at) const;

    vocabulary tokens_;
    std::optional<token_id> unknown_;
    bool whole_words_;
    std::array<std::optional<token_id>, 256> bytes_{};
    std::unordered_map<std::uint64_t, merge, pair_hash> merges_;
};

namespace detail {

/// Heap order: the lowest rank, then the leftmost, on top.
inline bool is_later(bpe::scratch::candidate const& a, bpe::scratch::candidate const& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.at > b.at;
}

}  // namespace detail

inline void bpe::split(std::string_view word, scratch& work) const {
    work.symbols.clear();
    work.queue.clear();
    for (char c : word) {
        auto const id = bytes_[static_cast<unsigned char>(c)];
        if (!id && !unknown_) continue;
        auto const at = static_cast<std::ptrdiff_t>(work.symbols.size());
        work.symbols.push_back({id ? *id : *unknown_, at - 1, at + 1, false});
    }
    if (!work.symbols.empty()) work.symbols.back().next = -1;
}

inline void bpe::push(scratch& work, std::ptrdiff_t at) const {
    if (at < 0) return;
    if (auto const* found = find_merge(work, at)) {
        work.queue.push_back({found->rank, found->result, at});
        std::push_heap(work.queue.begin(), work.queue.end(), detail::is_later);
    }
}

inline void bpe::encode(std::string_view word, std::vector<token_id>& out, scratch& work) const {
    if (whole_words_) {
        if (auto const at = tokens_.find(word); at != tokens_.end()) {
            out.push_back(at->second);
            return;
        }
    }
    split(word, work);
    auto& symbols = work.symbols;
    for (std::size_t i = 0; i < symbols.size(); ++i) push(work, static_cast<std::ptrdiff_t>(i));
    while (!work.queue.empty()) {
        std::pop_heap(work.queue.begin(), work.queue.end(), detail::is_later);
        auto const best = work.queue.back();
        work.queue.pop_back();
        auto& left = symbols[static_cast<std::size_t>(best.at)];
        if (left.merged) continue;
        auto const* current = find_merge(work, best.at);
        if (current == nullptr || current->result != best.result) continue;  // a neighbour has changed since
        auto& right = symbols[static_cast<std::size_t>(left.next)];
        right.merged = true;
        left.id = best.result;
        left.next = right.next;
        if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = best.at;
        push(work, left.previous);
        push(work, best.at);
    }
    for (auto const& symbol : symbols) {
        if (!symbol.merged) out.push_back(symbol.id);
    }
}

}  // namespace plateau::io
