#pragma once
/// Cosines and sines of the positions of a block's rows, computed once for the layers that share them.

#include <algorithm>
#include <array>
#include <vector>

#include <plateau/backend/host_access.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/nn/rope.hpp>
#include <plateau/nn/rows.hpp>
#include <plateau/nn/workspace.hpp>

namespace plateau::nn {

inline constexpr work_buffer cosines_buffer{"cosines"};              ///< [R, E/2]
inline constexpr work_buffer sines_buffer{"sines"};                  ///< [R, E/2]
inline constexpr work_buffer other_cosines_buffer{"other cosines"};  ///< [R, E/2]: of a second rope
inline constexpr work_buffer other_sines_buffer{"other sines"};      ///< [R, E/2]
inline constexpr work_buffer minus_sines_buffer{"minus sines"};      ///< [t, E/2]

/// cos and sin of p ω_i for every row's position p and every pair of coordinates i. A row's frequencies ω go by the
/// length of its prompt, or of the text so far where that grows.
template <class Context, class T>
class position_angles {
public:
    using const_rows_view = tensor::view<T const, 2, typename Context::space>;

    /// Forgets those of the block before.
    void begin() { rotary_ = {}; }

    /// Those of two ropes stay in a block.
    bool has(rope const& rotary) const { return rotary_[0] == &rotary || rotary_[1] == &rotary; }

    /// @param count  rows, the first ones
    /// @return cosines and sines, [R, E/2] each, in the backend's memory
    PLATEAU_INLINE std::array<const_rows_view, 2> of(rope const& rotary, rows const& rows, index count,
                                                     workspace<Context, T>& work,
                                                     backend::host_copies<Context, T>& copies) {
        bool const known = has(rotary), second = known ? rotary_[0] != &rotary : rotary_[0] != nullptr;
        auto const cosines = work.matrix(second ? other_cosines_buffer : cosines_buffer, count, rotary.half());
        auto const sines = work.matrix(second ? other_sines_buffer : sines_buffer, count, rotary.half());
        if (!known) {
            backend::host_rows<Context, T> c{copies, cosines}, s{copies, sines};
            write(rotary, rows, c.write(), s.write());
            c.finish();
            s.finish();
            rotary_[second ? 1 : 0] = &rotary;
        }
        return {const_rows_view{cosines}, const_rows_view{sines}};
    }

private:
    static void write(rope const& rotary, rows const& rows, tensor::view<T, 2> cosines, tensor::view<T, 2> sines) {
        std::vector<double> frequencies;
        index last = 0, known = -1;  // position of the row before, and whose frequencies these are
        for (auto const& part : rows.sequences) {
            index const end = std::min(part.first_row + part.rows, cosines.extent(0));
            for (index r = part.first_row; r < end; ++r) {
                auto const& id = rows.ids[static_cast<std::size_t>(r)];
                index const length = id.length > 0 ? id.length : part.start + part.rows;
                index const kind = rotary.lengths()(length);
                if (kind == known && id.position == last) {  // the points of one path, most often
                    std::copy_n(cosines[r - 1].data(), rotary.half(), cosines[r].data());
                    std::copy_n(sines[r - 1].data(), rotary.half(), sines[r].data());
                    continue;
                }
                if (kind != known) frequencies = rotary.frequencies(length);
                rotary.angles(frequencies, id.position, cosines[r].data(), sines[r].data());
                last = id.position, known = kind;
            }
        }
    }

    std::array<rope const*, 2> rotary_{};
};

}  // namespace plateau::nn
