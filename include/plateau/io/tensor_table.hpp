#pragma once
/// The tensors of one file, and the messages about them.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// A tensor and its place: `size` bytes from `begin`, counted from the start of the file.
struct stored_tensor {
    tensor_info info;
    std::size_t begin = 0;
    std::size_t size = 0;
};

/// What the readers of all formats know of their tensors before they read an element.
class tensor_table {
public:
    tensor_table() = default;
    explicit tensor_table(std::string where) : where_{std::move(where)} {}

    /// @throws file_error if there is one of that name already
    [[gnu::cold]] void add(stored_tensor tensor) {
        if (!numbers_.add(tensor.info.name).second) {
            throw file_error(where_, ": tensor ", printable(tensor.info.name), " is stored twice");
        }
        tensors_.push_back(std::move(tensor));
    }

    bool contains(std::string_view name) const { return numbers_.contains(name); }

    /// Sorted.
    std::vector<std::string> names() const { return numbers_.names(); }

    /// In the order of their coming.
    std::span<stored_tensor const> all() const { return tensors_; }

    /// @throws file_error if there is no such tensor
    stored_tensor const& at(std::string_view name) const {
        auto const number = numbers_.find(name);
        if (!number) throw file_error(where_, ": there is no tensor ", printable(name));
        return tensors_[*number];
    }

    /// The file, the tensor and its shape, for messages.
    [[gnu::cold]] std::string describe(stored_tensor const& at) const {
        return concat({where_, ": tensor ", printable(at.info.name), " of shape ", to_string(at.info.shape)});
    }

    /// @throws shape_error unless a buffer of `expected` elements holds the whole tensor
    [[gnu::cold]] void require_elements(stored_tensor const& at, std::size_t expected) const {
        if (static_cast<index>(expected) != element_count(at.info)) {
            throw shape_error(describe(at), " has ", element_count(at.info), " elements, expected ", expected);
        }
    }

    /// The flat index where rows [first, first + count) of the first axis begin.
    /// @throws shape_error unless they are there and have `expected` elements
    [[gnu::cold]] index first_element(stored_tensor const& at, index first, index count, std::size_t expected) const {
        if (at.info.shape.empty() || first < 0 || count < 0 || first > at.info.shape[0] - count) {
            throw shape_error(describe(at), " has no rows [", first, ", ", first, " + ", count, ")");
        }
        index const width = at.info.shape[0] > 0 ? element_count(at.info) / at.info.shape[0] : 0;
        if (static_cast<index>(expected) != width * count) {
            throw shape_error(describe(at), " has ", width, " elements in a row, ", expected, " were asked for in ",
                              count, " rows");
        }
        return first * width;
    }

    /// @throws numeric_error always: the element at flat index `bad` is not finite as a `type`
    [[noreturn, gnu::cold]] void refuse_value(stored_tensor const& at, index bad, dtype type) const {
        throw numeric_error(describe(at), ": the value at flat index ", bad, " is not finite in ", name_of(type),
                            "; the checkpoint is damaged, or needs a wider --dtype");
    }

private:
    std::string where_;
    name_index numbers_;
    std::vector<stored_tensor> tensors_;
};

}  // namespace plateau::io
