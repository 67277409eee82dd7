#pragma once
/// A sweep in one call: what experiments do unless their user runs them in pieces.

#include <plateau/core/types.hpp>

namespace plateau::sweep {

/// Gives what `measure(first, count)` gives of all things. In its place stands what calls it several times, of parts of
/// the things, and joins the results by their each_array.
struct at_once {
    template <class Measure>
    auto operator()(index count, Measure const& measure) const {
        return measure(index{0}, count);
    }
};

}  // namespace plateau::sweep
