#pragma once
/// What a model file says about one of its tensors.

#include <string>
#include <vector>

#include <plateau/core/names.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

/// Name, stored type and shape of one tensor in a file.
struct tensor_info {
    std::string name;
    std::string stored;        ///< the type as the file names it: "F32", "BF16", "Q4_1"
    std::vector<index> shape;  ///< row-major, slowest axis first; empty for a scalar
};

/// The number of elements. Readers check the product for overflow when they build a tensor_info.
inline index element_count(tensor_info const& info) {
    index count = 1;
    for (index extent : info.shape) count *= extent;
    return count;
}

/// "[3, 4]", for messages.
inline std::string to_string(std::vector<index> const& shape) { return shape_text(shape); }

}  // namespace plateau::io
