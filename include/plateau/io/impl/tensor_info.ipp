#pragma once
/// Bodies of io/tensor_info.hpp.

#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

PLATEAU_INLINE index element_count(tensor_info const& info) {
    index count = 1;
    for (index extent : info.shape) count *= extent;
    return count;
}

PLATEAU_INLINE std::string to_string(std::vector<index> const& shape) { return shape_text(shape); }

}  // namespace plateau::io
