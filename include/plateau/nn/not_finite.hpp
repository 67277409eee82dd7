#pragma once
/// The error of a residual stream that is not finite.

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::nn {

/// A value that is infinite or NaN, and whose: the item of its row.
class not_finite_error : public numeric_error {
public:
    template <class... Pieces>
    explicit not_finite_error(index of, Pieces const&... pieces) : numeric_error{pieces...}, item{of} {}

    index item;
};

}  // namespace plateau::nn
