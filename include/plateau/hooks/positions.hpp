#pragma once
/// Positions of a prompt: one, the last, a span.

#include <plateau/core/error.hpp>
#include <plateau/hooks/site.hpp>

namespace plateau::hooks {

/// The positions [first, end) of a prompt. Negative ones count from the prompt's end, and an `end` of 0 is that end:
/// {-3, 0} are the last three positions, {} all of them.
struct positions {
    index first = 0;
    index end = 0;

    static constexpr positions all() { return {}; }
    static constexpr positions one(index position) { return {position, position + 1}; }
    static constexpr positions last() { return one(-1); }

    /// In a prompt of `length` tokens, whether or not it reaches there.
    constexpr index first_in(index length) const { return first < 0 ? length + first : first; }
    constexpr index end_in(index length) const { return end <= 0 ? length + end : end; }

    /// @throws usage_error unless these are one or more positions of a prompt of `length` tokens
    void require(index length) const {
        if (first_in(length) >= 0 && first_in(length) < end_in(length) && end_in(length) <= length) return;
        throw usage_error("a prompt of ", length, " tokens has too few for the positions ", first, " to ",
                          end == 0 ? length : end, " (counted from 0, the last left out; negative ones from its end)");
    }

    /// @throws usage_error if the row's prompt does not have these positions, or its length is needed and not known
    bool holds(row_id const& row) const {
        if (first == 0 && end == 0) return true;
        if (row.length == 0) return holds_in_growing(row);
        require(row.length);
        return row.position >= first_in(row.length) && row.position < end_in(row.length);
    }

    friend constexpr bool operator==(positions const&, positions const&) = default;

private:
    /// Where a text grows it has a last position, and no others that could be counted from its end.
    bool holds_in_growing(row_id const& row) const {
        if (*this == last()) return row.last;
        if (first < 0 || end < 0)
            throw usage_error("positions counted from the end need a prompt whose length is known");
        return row.position >= first && (end == 0 || row.position < end);
    }
};

}  // namespace plateau::hooks
