#pragma once
/// The table of the tensors of one file, and the checks and messages that the formats share.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// A tensor and its place: `size` bytes from `begin`, counted from the start of the file.
struct stored_tensor {
    tensor_info info;
    std::size_t begin = 0;
    std::size_t size = 0;
    std::byte const* file = nullptr;  ///< where that file is mapped, of a reader that spans several
};

/// All tensors of a file by name, with the checks that readers of every format make before they read an element.
class tensor_table {
public:
    tensor_table() = default;
    explicit tensor_table(std::string where) : where_{std::move(where)} {}

    /// @throws file_error if there is one of that name already
    void add(stored_tensor tensor);

    /// Takes a component such as "module." out of all names that have it. @return whether any had
    /// @throws file_error if two then have one name
    bool drop_component(std::string_view component);

    bool contains(std::string_view name) const { return numbers_.contains(name); }

    /// Sorted.
    std::vector<std::string> names() const { return numbers_.names(); }

    /// In the order in which they were added.
    std::vector<stored_tensor> const& all() const { return tensors_; }

    /// @throws file_error if there is no such tensor
    stored_tensor const& at(std::string_view name) const;

    /// The file, the tensor and its shape, for messages.
    std::string describe(stored_tensor const& at) const;

    /// @throws shape_error unless a buffer of `expected` elements holds the whole tensor
    void require_elements(stored_tensor const& at, std::size_t expected) const;

    /// The flat index where rows [first, first + count) of the first axis begin.
    /// @throws shape_error unless they are there and have `expected` elements
    index first_element(stored_tensor const& at, index first, index count, std::size_t expected) const;

    /// @throws numeric_error always: the element at flat index `bad` is not finite as a `type`
    [[noreturn]] void refuse_value(stored_tensor const& at, index bad, dtype type) const;

private:
    void number(std::string const& name);

    std::string where_;
    name_index numbers_;
    std::vector<stored_tensor> tensors_;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/tensor_table.ipp>
#endif
