#pragma once
/// An array that a run writes, as much of it as a page has room for: the first pairs, prompts or slices.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/program/manifest.hpp>

namespace plateau::program::report {

/// Values of the first `kept` things of one axis: [lead, kept, each] of [lead, of, each], taken one by one as they are
/// written.
class kept_array {
public:
    file told;
    std::vector<std::string> axes;  ///< letters, of those that are there
    std::vector<index> shape;
    std::size_t cut;  ///< the axis of which the first things are kept
    index lead = 1, kept = 0, each = 1;
    std::vector<double> values;

    /// @param most  how many values there is room for
    kept_array(file of, std::vector<std::string> letters, std::vector<index> extents, std::size_t axis, index most)
        : told{std::move(of)}, axes{std::move(letters)}, shape{std::move(extents)}, cut{axis} {
        for (std::size_t i = 0; i < cut; ++i) lead *= shape[i];
        for (std::size_t i = cut + 1; i < shape.size(); ++i) each *= shape[i];
        index const one = lead * each > 0 ? lead * each : 1;
        kept = shape[cut] < most / one ? shape[cut] : most / one;
    }

    index of() const { return shape[cut]; }
    bool whole() const { return kept == of(); }

    /// Whether the values of one thing have come, of an array that begins with the things.
    bool has(index thing) const { return (thing + 1) * each <= static_cast<index>(values.size()); }

    /// The next value in C order.
    void add(double value) {
        if (seen_++ / each % of() < kept) values.push_back(value);
    }

    /// The `each` values of one thing.
    double const* at(index first, index thing) const { return values.data() + (first * kept + thing) * each; }

private:
    index seen_ = 0;
};

}  // namespace plateau::program::report
