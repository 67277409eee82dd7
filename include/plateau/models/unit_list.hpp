#pragma once
/// Which pieces of a weight_filler belong to a unit of a model, and the memory that they fill.

#include <cstddef>
#include <span>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::models {

struct packed_unit {
    index first = 0, end = 0;  ///< pieces
    index bytes = 0;           ///< of the memory
    std::vector<std::span<std::byte>> memory = {};

    /// Gives the memory back: it is there again when it is filled.
    void give_back() const;
};

class unit_list {
public:
    /// What is noted from here on is of this unit, all of it together. @param pieces  that there are
    void begin(int unit, index pieces);
    /// @param pieces  that there are now      @param memory  that they fill; empty if it cannot be given back
    void note(index pieces, index bytes, std::span<std::byte> memory);

    packed_unit const& operator[](int unit) const { return units_[static_cast<std::size_t>(unit)]; }
    std::vector<index> bytes() const;
    /// That of all units.
    std::vector<std::span<std::byte>> memory() const;
    void prefer_large_pages() const;

private:
    std::vector<packed_unit> units_ = {{}};  // by number; one for those who begin none
    std::size_t unit_ = 0;
};

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/unit_list.ipp>
#endif
