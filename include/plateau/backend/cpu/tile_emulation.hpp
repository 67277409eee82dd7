#pragma once
/// The tile unit of AMX in plain C++: what the instructions of tiles.inl read, compute and write.

#include <cstdint>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::backend::emulated_tiles {

/// Eight tiles of up to 16 rows of 64 bytes. Arithmetic is that of TDPBF16PS in Intel's Software Developer's Manual:
/// even and odd k in a chain of multiply-adds each, from zero, their sum, then that added to the tile; every step
/// rounded to nearest, subnormals taken as zero on the way in and out.
class tile_unit {
public:
    /// Tiles 0 to 3 are results of `rows` (two of them) and `more` rows, 4 and 5 inputs of as many rows with `pairs`
    /// words each, 6 and 7 weights with `pairs` rows.
    void configure(int rows, int more, int pairs);

    template <int Tile>
    void load(void const* from, index stride) {
        load(Tile, from, stride);
    }
    template <int Tile>
    void store(void* to, index stride) const {
        store(Tile, to, stride);
    }
    template <int Tile>
    void clear() {
        clear(Tile);
    }
    /// Sums += Inputs · Weights
    template <int Sums, int Inputs, int Weights>
    void multiply() {
        multiply(Sums, Inputs, Weights);
    }

private:
    struct shape {
        int rows = 0, words = 0;
    };

    void load(int tile, void const* from, index stride);
    void store(int tile, void* to, index stride) const;
    void clear(int tile);
    void multiply(int sums, int inputs, int weights);

    shape shapes_[8] = {};
    std::uint32_t tiles_[8][16][16] = {};
};

}  // namespace plateau::backend::emulated_tiles

#if !PLATEAU_COMPILED
#include <plateau/backend/cpu/impl/tile_emulation.ipp>
#endif
