#pragma once
/// Pieces of results: cut, stored as bytes, and joined again.

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <type_traits>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::program {

/// One array of results, whatever its elements are. The results own what it points to.
struct raw_array {
    std::vector<index> extents;
    int axis = 0;             ///< which of them counts the things, several elements each if need be; −1: none does
    std::size_t element = 0;  ///< bytes
    std::byte const* data = nullptr;
    std::vector<index> starts = {};  ///< of lists of different lengths, one after the other: where each is, and the end
    std::vector<std::byte> own = {};  ///< where `data` is this array's own
};

/// The arrays as bytes that `arrays_in` reads again, of things [first, first + count) of `all`.
std::vector<std::byte> bytes_of(std::vector<raw_array> const& arrays, index first, index count, index all);

/// @param bytes  what `bytes_of` gave; the arrays point into them      @throws file_error on anything else
std::vector<raw_array> arrays_in(std::span<std::byte const> bytes);

/// The arrays of pieces, in order.
using pieces = std::vector<std::vector<raw_array>>;

/// The extents of the k-th arrays of all pieces joined. @throws file_error unless they fit together
std::vector<index> joined_extents(pieces const& all, std::size_t k, std::size_t element);
/// Writes the elements of the k-th arrays of all pieces joined, which have those extents.
void join(pieces const& all, std::size_t k, std::byte* to);

namespace detail {

/// Lists the arrays of results.
struct array_lister {
    std::vector<raw_array>& to;

    template <class T, std::size_t Rank>
    void operator()(tensor::buffer<T, Rank> const& array, int axis = 0) const {
        add<T>({array.extents().begin(), array.extents().end()}, axis, array.data());
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    void operator()(std::vector<T> const& array, int axis = 0) const {
        add<T>({std::ssize(array)}, axis, array.data());
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    void operator()(std::vector<std::vector<T>> const& lists) const {
        std::vector<index> lengths, starts{0};
        std::vector<std::byte> elements;
        for (auto const& one : lists) {
            lengths.push_back(std::ssize(one));
            starts.push_back(starts.back() + std::ssize(one));
            auto const bytes = std::as_bytes(std::span{one});
            elements.insert(elements.end(), bytes.begin(), bytes.end());
        }
        auto const counts = std::as_bytes(std::span{lengths});
        to.push_back({{std::ssize(lengths)}, 0, sizeof(index), nullptr, {}, {counts.begin(), counts.end()}});
        to.back().data = to.back().own.data();
        to.push_back({{starts.back()}, 0, sizeof(T), nullptr, starts, std::move(elements)});
        to.back().data = to.back().own.data();
    }
    /// Several arrays, as many in every piece.
    template <class T, std::size_t Rank>
    void operator()(std::vector<tensor::buffer<T, Rank>> const& arrays, int axis = 0) const {
        to.push_back({{std::ssize(arrays)}, -1, 0});
        for (auto const& one : arrays) (*this)(one, axis);
    }

private:
    template <class T>
    void add(std::vector<index> extents, int axis, T const* data) const {
        to.push_back({std::move(extents), axis, sizeof(T), reinterpret_cast<std::byte const*>(data)});
    }
};

/// Fills the arrays of results with those of pieces.
class array_filler {
public:
    explicit array_filler(pieces const& from) : from_{from} {}

    template <class T, std::size_t Rank>
    void operator()(tensor::buffer<T, Rank>& array, int = 0) const {
        auto const shape = joined_extents(from_, at_, sizeof(T));
        std::array<index, Rank> extents{};
        if (shape.size() != Rank) throw file_error("a piece has an array of ", shape.size(), " axes, not ", Rank);
        std::copy(shape.begin(), shape.end(), extents.begin());
        array = tensor::buffer<T, Rank>::for_overwrite(extents);
        join(from_, at_++, reinterpret_cast<std::byte*>(array.data()));
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    void operator()(std::vector<T>& array, int = 0) const {
        array.resize(static_cast<std::size_t>(joined_extents(from_, at_, sizeof(T)).at(0)));
        join(from_, at_++, reinterpret_cast<std::byte*>(array.data()));
    }
    template <class T>
        requires std::is_trivially_copyable_v<T>
    void operator()(std::vector<std::vector<T>>& lists) const {
        std::vector<index> lengths;
        std::vector<T> flat;
        (*this)(lengths), (*this)(flat);
        lists.clear();
        for (auto from = flat.begin(); index const length : lengths) {
            if (length < 0 || length > flat.end() - from) throw file_error("a piece has lists that end behind it");
            lists.emplace_back(from, from + length);
            from += length;
        }
    }
    template <class T, std::size_t Rank>
    void operator()(std::vector<tensor::buffer<T, Rank>>& arrays, int axis = 0) const {
        arrays.resize(static_cast<std::size_t>(joined_extents(from_, at_++, 0).at(0)));
        for (auto& one : arrays) (*this)(one, axis);
    }

private:
    pieces const& from_;
    mutable std::size_t at_ = 0;
};

}  // namespace detail

/// The arrays that results list of themselves:
///     struct results {
///         tensor::buffer<double, 2> distances;  // [P,S]
///         tensor::buffer<double, 3> held;       // [K,P,S]
///         template <class Self, class Visit>
///         static void each_array(Self& self, Visit const& visit) { visit(self.distances), visit(self.held, 1); }
///     };
/// The number behind an array is the axis that counts the things: 0 if none is given, −1 for what all things share.
template <class Results>
std::vector<raw_array> raw_arrays(Results const& results) {
    std::vector<raw_array> all;
    Results::each_array(results, detail::array_lister{all});
    return all;
}

/// One array as results. @tparam Axis  that counts the things
template <class Array, int Axis = 0>
struct one_array {
    Array values;

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.values, Axis);
    }
};

/// The results of which these are the pieces. @throws file_error unless they fit together
template <class Results>
Results joined(pieces const& from) {
    Results all;
    Results::each_array(all, detail::array_filler{from});
    return all;
}

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/pieces.ipp>
#endif
