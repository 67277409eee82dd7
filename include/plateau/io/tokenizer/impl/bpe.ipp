#pragma once
/// Bodies of io/tokenizer/bpe.hpp.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/bpe.hpp>
#include <plateau/io/tokenizer/token_table.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

PLATEAU_INLINE_HOT void bpe::add_symbol(scratch& work, token_id id) {
    auto const at = static_cast<std::ptrdiff_t>(work.symbols.size());
    work.symbols.push_back({id, no_token, at - 1, at + 1, false});
}

PLATEAU_INLINE bpe::bpe(token_table tokens, bpe_options options, std::size_t ids, std::size_t merges)
    : tokens_{std::move(tokens)}, options_{options}, merges_{merges}, alone_(ids) {
    constexpr char const* digits = "0123456789ABCDEF";
    for (std::size_t byte = 0; byte < 256; ++byte) {
        char const symbol = static_cast<char>(byte);
        char const name[] = {'<', '0', 'x', digits[byte / 16], digits[byte % 16], '>'};
        bytes_[byte] = tokens_.find({&symbol, 1});
        fallback_[byte] = options.byte_fallback ? tokens_.find({name, sizeof name}) : no_token;
        can_cut_[byte] =
            options.characters && byte < 0x80 && bytes_[byte] != no_token && tokens_.find(mark) != no_token;
    }
}

PLATEAU_INLINE void bpe::add_merge(token_id left, token_id right, token_merge merge, std::string_view text) {
    merges_.insert(left, right, merge);
    for (auto at = text.find(mark, 1); at != std::string_view::npos; at = text.find(mark, at + 1)) {
        can_cut_[static_cast<unsigned char>(text[at - 1])] = false;
    }
}

namespace detail {

/// Heap order: the lowest rank, then the leftmost, on top.
PLATEAU_INLINE_HOT bool is_later(bpe::scratch::candidate const& a, bpe::scratch::candidate const& b) {
    return a.merge.rank != b.merge.rank ? a.merge.rank > b.merge.rank : a.at > b.at;
}

}  // namespace detail

/// An unknown symbol waits for the next known one, and bytes of characters in between go before it: that is how
/// Hugging Face tokenizers does it, and shows only if some bytes have tokens and others none.
PLATEAU_INLINE void bpe::split_unknown(std::string_view character, bool& pending, scratch& work) const {
    bool bytes = options_.byte_fallback;
    for (char c : character) bytes = bytes && fallback_[static_cast<unsigned char>(c)] != no_token;
    if (bytes) {
        for (char c : character) add_symbol(work, fallback_[static_cast<unsigned char>(c)]);
    } else if (options_.unknown != no_token) {
        if (pending && !options_.fuse_unknown) add_symbol(work, options_.unknown);
        pending = true;
    }
}

PLATEAU_INLINE_HOT void bpe::split(std::string_view word, scratch& work) const {
    work.symbols.clear();
    bool unknown = false;
    for (std::size_t at = 0; at < word.size();) {
        bool const wide = options_.characters && static_cast<unsigned char>(word[at]) >= 0x80;
        auto const symbol = word.substr(at, wide ? first_character(word.substr(at)).length : 1);
        token_id const id = wide ? tokens_.find(symbol) : bytes_[static_cast<unsigned char>(word[at])];
        at += symbol.size();
        if (id == no_token) {
            split_unknown(symbol, unknown, work);
            continue;
        }
        if (unknown) add_symbol(work, options_.unknown);
        unknown = false;
        add_symbol(work, id);
    }
    if (unknown) add_symbol(work, options_.unknown);
    if (!work.symbols.empty()) work.symbols.back().next = -1;
}

/// Notes the merge of a symbol and the next among the candidates. False if there is none.
PLATEAU_INLINE_HOT bool bpe::offer(scratch& work, std::ptrdiff_t at) const {
    auto& left = work.symbols[static_cast<std::size_t>(at)];
    left.offer = no_token;
    if (left.next < 0) return false;
    auto const found = merges_.find(left.id, work.symbols[static_cast<std::size_t>(left.next)].id);
    left.offer = found.result;
    if (found.result != no_token) work.queue.push_back({found, at});
    return found.result != no_token;
}

PLATEAU_INLINE_HOT void bpe::push(scratch& work, std::ptrdiff_t at) const {
    if (at >= 0 && offer(work, at)) std::push_heap(work.queue.begin(), work.queue.end(), detail::is_later);
}

PLATEAU_INLINE_HOT void bpe::merge_all(scratch& work) const {
    auto& symbols = work.symbols;
    work.queue.clear();
    for (std::size_t i = 0; i < symbols.size(); ++i) offer(work, static_cast<std::ptrdiff_t>(i));
    std::make_heap(work.queue.begin(), work.queue.end(), detail::is_later);
    while (!work.queue.empty()) {
        std::pop_heap(work.queue.begin(), work.queue.end(), detail::is_later);
        auto const best = work.queue.back();
        work.queue.pop_back();
        auto& left = symbols[static_cast<std::size_t>(best.at)];
        // A neighbour has changed since. As texts only grow, no other pair here has this result.
        if (left.merged || left.offer != best.merge.result) continue;
        auto& right = symbols[static_cast<std::size_t>(left.next)];
        right.merged = true;
        left.id = best.merge.result;
        left.next = right.next;
        if (left.next >= 0) symbols[static_cast<std::size_t>(left.next)].previous = best.at;
        push(work, left.previous);
        push(work, best.at);
    }
}

PLATEAU_INLINE_HOT void bpe::encode_piece(std::string_view piece, std::vector<token_id>& out, scratch& work) const {
    token_id const whole = tokens_.find(piece);
    unsigned char known = is_taken_apart;
    if (whole != no_token) {
        known = std::atomic_ref(alone_[static_cast<std::size_t>(whole)]).load(std::memory_order_relaxed);
        if (known == stays_whole) return out.push_back(whole);
    }
    split(piece, work);
    merge_all(work);
    std::size_t const before = out.size();
    for (auto const& symbol : work.symbols) {
        if (!symbol.merged) out.push_back(symbol.id);
    }
    if (known == not_tried) {
        bool const same = out.size() == before + 1 && out.back() == whole;
        std::atomic_ref(alone_[static_cast<std::size_t>(whole)])
            .store(same ? stays_whole : is_taken_apart, std::memory_order_relaxed);
    }
}

PLATEAU_INLINE_HOT void bpe::encode(std::string_view word, std::vector<token_id>& out, scratch& work) const {
    if (options_.whole_words) {
        if (token_id const whole = tokens_.find(word); whole != no_token) return out.push_back(whole);
    }
    if (options_.characters) {
        for (auto at = word.find(mark, 1); at != std::string_view::npos; at = word.find(mark, at + 1)) {
            if (!can_cut_[static_cast<unsigned char>(word[at - 1])]) continue;
            encode_piece(word.substr(0, at), out, work);
            word.remove_prefix(at);
            at = 0;
        }
    }
    encode_piece(word, out, work);
}

}  // namespace plateau::io
