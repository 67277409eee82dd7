#pragma once
/// Bodies of models/unit_list.hpp.

#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/models/unit_list.hpp>
#include <plateau/tensor/pages.hpp>

namespace plateau::models {

PLATEAU_INLINE void packed_unit::give_back() const {
    for (auto const& one : memory) tensor::whole_pages{one.data(), one.size()}.give_back();
}

PLATEAU_INLINE void unit_list::begin(int unit, index pieces) {
    unit_ = static_cast<std::size_t>(unit);
    if (unit_ >= units_.size()) units_.resize(unit_ + 1);
    units_[unit_].first = units_[unit_].end = pieces;
}

PLATEAU_INLINE void unit_list::note(index pieces, index bytes, std::span<std::byte> memory) {
    auto& unit = units_[unit_];
    unit.end = pieces;
    unit.bytes += bytes;
    if (!memory.empty()) unit.memory.push_back(memory);
}

PLATEAU_INLINE std::vector<index> unit_list::bytes() const {
    std::vector<index> all;
    for (auto const& one : units_) all.push_back(one.bytes);
    return all;
}

PLATEAU_INLINE void unit_list::prefer_large_pages() const {
    for (auto const& unit : units_) {
        for (auto const& one : unit.memory) tensor::whole_pages{one.data(), one.size()}.prefer_large();
    }
}

PLATEAU_INLINE std::vector<std::span<std::byte>> unit_list::memory() const {
    std::vector<std::span<std::byte>> all;
    for (auto const& one : units_) all.insert(all.end(), one.memory.begin(), one.memory.end());
    return all;
}

}  // namespace plateau::models
