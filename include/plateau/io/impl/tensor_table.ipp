#pragma once
/// Bodies of io/tensor_table.hpp.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

PLATEAU_INLINE void tensor_table::add(stored_tensor tensor) {
    number(tensor.info.name);
    tensors_.push_back(std::move(tensor));
}

PLATEAU_INLINE void tensor_table::number(std::string const& name) {
    if (!numbers_.add(name).second) throw file_error(where_, ": tensor ", printable(name), " is stored twice");
}

PLATEAU_INLINE bool tensor_table::drop_component(std::string_view component) {
    bool any = false;
    for (auto& tensor : tensors_) {
        auto& name = tensor.info.name;
        for (auto at = name.find(component); at != std::string::npos; at = name.find(component, at)) {
            bool const whole = at == 0 || name[at - 1] == '.';
            if (whole) name.erase(at, component.size());
            else ++at;
            any = any || whole;
        }
    }
    if (!any) return false;
    numbers_ = {};
    for (auto const& tensor : tensors_) number(tensor.info.name);
    return true;
}

PLATEAU_INLINE stored_tensor const& tensor_table::at(std::string_view name) const {
    auto const number = numbers_.find(name);
    if (!number) throw file_error(where_, ": there is no tensor ", printable(name));
    return tensors_[*number];
}

PLATEAU_INLINE std::string tensor_table::describe(stored_tensor const& at) const {
    return concat({where_, ": tensor ", printable(at.info.name), " of shape ", to_string(at.info.shape)});
}

PLATEAU_INLINE void tensor_table::require_elements(stored_tensor const& at, std::size_t expected) const {
    if (static_cast<index>(expected) != element_count(at.info)) {
        throw shape_error(describe(at), " has ", element_count(at.info), " elements, expected ", expected);
    }
}

PLATEAU_INLINE index tensor_table::first_element(stored_tensor const& at, index first, index count,
                                                 std::size_t expected) const {
    if (at.info.shape.empty() || first < 0 || count < 0 || first > at.info.shape[0] - count) {
        throw shape_error(describe(at), " has no rows [", first, ", ", first, " + ", count, ")");
    }
    index const width = at.info.shape[0] > 0 ? element_count(at.info) / at.info.shape[0] : 0;
    if (static_cast<index>(expected) != width * count) {
        throw shape_error(describe(at), " has ", width, " elements in a row, ", expected, " were asked for in ", count,
                          " rows");
    }
    return first * width;
}

PLATEAU_INLINE void tensor_table::refuse_value(stored_tensor const& at, index bad, dtype type) const {
    std::string stored;  // of a reader that gives other names to tensors of this table
    for (auto const& own : tensors_) {
        if (contains(at.info.name) || at.file != own.file || at.begin < own.begin || at.begin - own.begin >= own.size)
            continue;
        stored = concat({" (in the file ", printable(own.info.name), ")"});
    }
    throw numeric_error(describe(at), stored, ": the value at flat index ", bad, " is not finite in ", name_of(type),
                        "; the checkpoint is damaged, or needs a wider --dtype");
}

}  // namespace plateau::io
