#pragma once
/// Bodies of program/long_run/pieces.hpp.

#include <cstring>
#include <functional>
#include <numeric>

#include <plateau/program/long_run/pieces.hpp>

namespace plateau::program {

namespace detail {

/// Elements before an axis, and behind it.
PLATEAU_PROGRAM_INLINE index product(std::vector<index> const& extents, std::size_t from, std::size_t to) {
    return std::accumulate(extents.begin() + static_cast<std::ptrdiff_t>(from),
                           extents.begin() + static_cast<std::ptrdiff_t>(to), index{1}, std::multiplies<>{});
}

/// Where the things [first, first + count) of `all` lie on the axis of an array: {begin, extent}.
PLATEAU_PROGRAM_INLINE std::pair<index, index> part_of(raw_array const& array, index first, index count, index all) {
    if (array.starts.size() == 1) return {0, 0};  // no lists at all
    if (!array.starts.empty()) {
        index const begin = array.starts.at(static_cast<std::size_t>(first));
        return {begin, array.starts.at(static_cast<std::size_t>(first + count)) - begin};
    }
    index const extent = array.extents.at(static_cast<std::size_t>(array.axis));
    if (extent % all != 0) throw std::logic_error("an array of results does not have as many parts as there are pairs");
    return {first * (extent / all), count * (extent / all)};
}

/// Reads numbers and bytes, as far as they go.
class byte_cursor {
public:
    explicit byte_cursor(std::span<std::byte const> bytes) : rest_{bytes} {}

    bool empty() const { return rest_.empty(); }
    index number() {
        index n = 0;
        std::memcpy(&n, take(sizeof n).data(), sizeof n);
        return n;
    }
    std::span<std::byte const> take(std::size_t bytes) {
        if (bytes > rest_.size()) throw file_error("a piece of results ends within an array");
        auto const taken = rest_.first(bytes);
        rest_ = rest_.subspan(bytes);
        return taken;
    }

private:
    std::span<std::byte const> rest_;
};

}  // namespace detail

PLATEAU_PROGRAM_INLINE std::vector<std::byte> bytes_of(std::vector<raw_array> const& arrays, index first, index count,
                                                       index all) {
    std::vector<std::byte> bytes;
    auto const put = [&](void const* from, std::size_t size) {
        auto const* const at = static_cast<std::byte const*>(from);
        bytes.insert(bytes.end(), at, at + size);
    };
    auto const put_number = [&](index n) { put(&n, sizeof n); };
    for (auto const& one : arrays) {
        auto extents = one.extents;
        index begin = 0, outer = 1, whole = 0, inner = static_cast<index>(one.element);
        if (one.axis >= 0) {
            auto const axis = static_cast<std::size_t>(one.axis);
            outer = detail::product(extents, 0, axis);
            inner *= detail::product(extents, axis + 1, extents.size());
            whole = extents[axis];
            std::tie(begin, extents[axis]) = detail::part_of(one, first, count, all);
        } else {
            inner *= detail::product(extents, 0, extents.size());
        }
        put_number(std::ssize(extents));
        put_number(one.axis);
        put_number(static_cast<index>(one.element));
        for (index const extent : extents) put_number(extent);
        index const taken = one.axis >= 0 ? extents[static_cast<std::size_t>(one.axis)] : 1;
        for (index o = 0; o < outer && taken * inner > 0; ++o)
            put(one.data + (o * whole + begin) * inner, static_cast<std::size_t>(taken * inner));
    }
    return bytes;
}

PLATEAU_PROGRAM_INLINE std::vector<raw_array> arrays_in(std::span<std::byte const> bytes) {
    std::vector<raw_array> all;
    detail::byte_cursor from{bytes};
    while (!from.empty()) {
        auto& one = all.emplace_back();
        index const rank = from.number();
        one.axis = static_cast<int>(from.number());
        one.element = static_cast<std::size_t>(from.number());
        if (rank < 0 || rank > 16 || one.axis < -1 || one.axis >= rank || one.element > 4096)
            throw file_error("a piece of results has no array where one should be");
        std::size_t size = one.element;
        for (index k = 0; k < rank; ++k) {
            index const extent = one.extents.emplace_back(from.number());
            if (extent < 0 ||
                (extent > 0 && std::max<std::size_t>(size, 1) > bytes.size() / static_cast<std::size_t>(extent)))
                throw file_error("a piece of results has an array that is larger than it");
            size *= static_cast<std::size_t>(extent);
        }
        one.data = from.take(size).data();
    }
    return all;
}

PLATEAU_PROGRAM_INLINE std::vector<index> joined_extents(pieces const& all, std::size_t k, std::size_t element) {
    std::vector<index> extents;
    for (auto const& piece : all) {
        if (k >= piece.size() || piece[k].element != element || piece[k].axis != all.front()[k].axis)
            throw file_error("a piece of results has other arrays than they: of another version of this program?");
        auto here = piece[k].extents;
        if (extents.empty()) {
            extents = here;
            continue;
        }
        if (piece[k].axis >= 0 && here.size() == extents.size()) {
            auto const axis = static_cast<std::size_t>(piece[k].axis);
            here[axis] = extents[axis] += here[axis];
        }
        if (here != extents) throw file_error("pieces of results do not have the same extents");
    }
    return extents;
}

PLATEAU_PROGRAM_INLINE void join(pieces const& all, std::size_t k, std::byte* to) {
    auto const& first = all.front()[k];
    if (first.axis < 0) {
        auto const size = static_cast<std::size_t>(detail::product(first.extents, 0, first.extents.size()));
        if (size * first.element > 0) std::memcpy(to, first.data, size * first.element);
        return;
    }
    auto const axis = static_cast<std::size_t>(first.axis);
    index const outer = detail::product(first.extents, 0, axis);
    auto const inner = static_cast<std::size_t>(detail::product(first.extents, axis + 1, first.extents.size()));
    for (index o = 0; o < outer; ++o) {
        for (auto const& piece : all) {
            auto const size = static_cast<std::size_t>(piece[k].extents[axis]) * inner * first.element;
            if (size > 0) std::memcpy(to, piece[k].data + static_cast<std::size_t>(o) * size, size);
            to += size;
        }
    }
}

}  // namespace plateau::program
