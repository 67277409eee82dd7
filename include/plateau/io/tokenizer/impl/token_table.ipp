#pragma once
/// Bodies of io/tokenizer/token_table.hpp.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tokenizer/token_table.hpp>

namespace plateau::io {

PLATEAU_INLINE_HOT token_id token_table::find(std::string_view text) const {
    if (text.size() > longest_) return no_token;
    return slots_[place(text, hash(text))].id;
}

PLATEAU_INLINE_HOT token_merge merge_table::find(token_id left, token_id right) const {
    return slots_[place(key(left, right))].merge;
}

PLATEAU_INLINE_HOT std::uint64_t merge_table::key(token_id left, token_id right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

PLATEAU_INLINE_HOT std::size_t merge_table::place(std::uint64_t pair) const {
    std::uint64_t mixed = pair * 0x9E3779B97F4A7C15u;
    std::size_t at = static_cast<std::size_t>(mixed ^ (mixed >> 32)) & (slots_.size() - 1);
    while (slots_[at].merge.result != no_token && slots_[at].pair != pair) at = (at + 1) & (slots_.size() - 1);
    return at;
}

PLATEAU_INLINE_HOT std::uint32_t token_table::hash(std::string_view text) {
    constexpr std::uint64_t odd = 0x9E3779B97F4A7C15u;
    std::uint64_t mixed = text.size() * odd;
    auto const add = [&](std::size_t at, std::size_t bytes) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, bytes);
        mixed = (mixed ^ word) * odd;
        mixed ^= mixed >> 29;
    };
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) add(at, 8);
    if (at < text.size()) add(at, text.size() - at);
    return static_cast<std::uint32_t>(mixed ^ (mixed >> 32));
}

PLATEAU_INLINE_HOT std::size_t token_table::place(std::string_view text, std::uint32_t hashed) const {
    std::size_t at = hashed & (slots_.size() - 1);
    for (;; at = (at + 1) & (slots_.size() - 1)) {
        auto const& slot = slots_[at];
        if (slot.id == no_token) return at;
        if (slot.hash == hashed && slot.size == text.size() &&
            std::memcmp(texts_.data() + slot.begin, text.data(), text.size()) == 0)
            return at;
    }
}

PLATEAU_INLINE void token_table::insert(std::string_view text, token_id id) {
    if (2 * (count_ + 1) > slots_.size()) resize(2 * (count_ + 1));
    auto const hashed = hash(text);
    auto& slot = slots_[place(text, hashed)];
    if (slot.id == no_token) {
        if (texts_.size() + text.size() > std::numeric_limits<std::uint32_t>::max())
            throw config_error("a vocabulary has more than 4 GiB of texts");
        slot = {hashed, static_cast<std::uint32_t>(texts_.size()), static_cast<std::uint32_t>(text.size()), id};
        texts_ += text;
        ++count_;
        if (text.size() > longest_) longest_ = text.size();
    }
    slot.id = id;
}

PLATEAU_INLINE void token_table::resize(std::size_t tokens) {
    std::size_t size = 16;
    while (size < 2 * tokens) size *= 2;
    std::vector<entry> old(size);
    old.swap(slots_);
    for (auto const& slot : old) {
        if (slot.id != no_token) slots_[place({texts_.data() + slot.begin, slot.size}, slot.hash)] = slot;
    }
}

PLATEAU_INLINE void merge_table::insert(token_id left, token_id right, token_merge merge) {
    if (2 * (count_ + 1) > slots_.size()) resize(2 * (count_ + 1));
    auto& slot = slots_[place(key(left, right))];
    if (slot.merge.result == no_token) ++count_;
    slot = {key(left, right), merge};
}

PLATEAU_INLINE void merge_table::resize(std::size_t merges) {
    std::size_t size = 16;
    while (size < 2 * merges) size *= 2;
    std::vector<entry> old(size);
    old.swap(slots_);
    for (auto const& slot : old) {
        if (slot.merge.result != no_token) slots_[place(slot.pair)] = slot;
    }
}

}  // namespace plateau::io
