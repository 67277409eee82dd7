// The processor's tiles (AMX), and rows in parts as they take them. Included by kernels.hpp for the instruction set
// that has them.

/// As emulated_tiles::tile_unit, which says what each does. Tiles belong to the thread; they are released in the end,
/// so that the system need not save them.
class tile_unit {
public:
    tile_unit() = default;
    tile_unit(tile_unit const&) = delete;
    tile_unit& operator=(tile_unit const&) = delete;
    [[gnu::always_inline]] ~tile_unit() { asm volatile("tilerelease" ::: "memory"); }

    [[gnu::always_inline]] void configure(int rows, int more, int pairs) {
        if (rows == rows_ && more == more_ && pairs == pairs_) return;
        rows_ = rows, more_ = more, pairs_ = pairs;
        struct {
            std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
            std::uint16_t bytes[16] = {};
            std::uint8_t rows[16] = {};
        } all;
        static_assert(sizeof all == 64);
        int const rows_of[] = {rows, rows, more, more, rows, more, pairs, pairs};
        for (int tile = 0; tile < 8; ++tile) {
            bool const inputs = tile == 4 || tile == 5;
            all.rows[tile] = static_cast<std::uint8_t>(rows_of[tile]);
            all.bytes[tile] = static_cast<std::uint16_t>(rows_of[tile] == 0 ? 0 : inputs ? 4 * pairs : 64);
        }
        asm volatile("ldtilecfg %0" ::"m"(all));
    }

    template <int Tile>
    [[gnu::always_inline]] void load(void const* from, index stride) {
        asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(Tile) : "memory");
    }
    template <int Tile>
    [[gnu::always_inline]] void store(void* to, index stride) const {
        asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(Tile) : "memory");
    }
    template <int Tile>
    [[gnu::always_inline]] void clear() {
        asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
    }
    template <int Sums, int Inputs, int Weights>
    [[gnu::always_inline]] void multiply() {
        asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sums), "i"(Inputs), "i"(Weights));
    }

private:
    int rows_ = -1, more_ = -1, pairs_ = -1;
};

/// take_part of parts.hpp, 16 at a time, in the upper halves of words.
[[gnu::always_inline]] inline uvec take_parts(vec& left) {
    uvec const word = (uvec)left, size = word & 0x7FFFFFFFu;
    uvec const nearest = (word + 0x7FFFu + ((word >> 16) & 1u)) & 0xFFFF0000u;
    uvec const quiet = (word | 0x400000u) & 0xFFFF0000u, below = word & 0xFFFF0000u;
    uvec const finite = (nearest & 0x7FFFFFFFu) == 0x7F800000u && size < 0x7F800000u ? below : nearest;
    uvec const part = size > 0x7F800000u ? quiet : finite;
    vec const more = left - (vec)part;
    left = more == more ? more : vec{};
    return part;
}

inline void split_row(float const* x, index count, int parts, std::uint32_t* out, index step) {
    typedef std::uint64_t pairs_vec __attribute__((vector_size(64)));
    typedef std::uint32_t words_vec __attribute__((vector_size(32)));
    for (index k = 0; k < count; k += lanes) {
        index const some = count - k;
        vec left = some < lanes ? load_part(x + k, some) : load(x + k);
        for (int p = 0; p < parts; ++p) {
            pairs_vec const both = (pairs_vec)take_parts(left);
            words_vec const words =
                __builtin_convertvector((both >> 16 & 0xFFFFu) | (both >> 32 & 0xFFFF0000u), words_vec);
            std::uint32_t* const to = out + p * step + k / 2;
            if (some >= lanes) __builtin_memcpy(to, &words, sizeof words);
            else __builtin_memcpy(to, &words, static_cast<std::size_t>((some + 1) / 2) * 4);
        }
    }
}
