#pragma once
/// Name, stored type and shape of a tensor in a model file.

#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

/// The description of one tensor, as its file gives it.
struct tensor_info {
    std::string name;
    std::string stored;        ///< the type as the file names it: "F32", "BF16", "Q4_1"
    std::vector<index> shape;  ///< row-major, slowest axis first; empty for a scalar
};

/// The number of elements. Readers check the product for overflow when they build a tensor_info.
index element_count(tensor_info const& info);

/// "[3, 4]", for messages.
std::string to_string(std::vector<index> const& shape);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/tensor_info.ipp>
#endif
