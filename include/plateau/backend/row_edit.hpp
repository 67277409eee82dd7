#pragma once
/// A change to a part of a row, as a device is told of it.

#include <plateau/core/types.hpp>

namespace plateau::backend {

/// One part of a row, and where its new values are.
struct row_edit {
    index row, column, width;
    index values;  ///< the first of `width` values
    bool keeps;    ///< the values are added to what was there
};

}  // namespace plateau::backend
