#pragma once
/// Cosines and sines of the positions of a block's rows, computed once for the layers that share them.

#include <algorithm>
#include <array>
#include <span>

#include <plateau/backend/host_access.hpp>
#include <plateau/hooks/site.hpp>
#include <plateau/nn/rope.hpp>
#include <plateau/nn/workspace.hpp>

namespace plateau::nn {

inline constexpr work_buffer cosines_buffer{"cosines"};          ///< [R, E/2]
inline constexpr work_buffer sines_buffer{"sines"};              ///< [R, E/2]
inline constexpr work_buffer minus_sines_buffer{"minus sines"};  ///< [t, E/2]

/// cos and sin of p ω_i for every row's position p and every pair of coordinates i.
template <class Context, class T>
class position_angles {
public:
    using const_rows_view = tensor::view<T const, 2, typename Context::space>;

    /// Forgets those of the block before.
    void begin() { rotary_ = nullptr; }

    /// @return cosines and sines, [R, E/2] each, in the backend's memory
    std::array<const_rows_view, 2> of(rope const& rotary, std::span<hooks::row_id const> ids,
                                      workspace<Context, T>& work, backend::host_copies<Context, T>& copies) {
        auto const rows = static_cast<index>(ids.size());
        auto const cosines = work.matrix(cosines_buffer, rows, rotary.half());
        auto const sines = work.matrix(sines_buffer, rows, rotary.half());
        if (rotary_ != &rotary) {
            backend::host_rows<Context, T> c{copies, cosines}, s{copies, sines};
            write(rotary, ids, c.write(), s.write());
            c.finish();
            s.finish();
            rotary_ = &rotary;
        }
        return {const_rows_view{cosines}, const_rows_view{sines}};
    }

private:
    static void write(rope const& rotary, std::span<hooks::row_id const> ids, tensor::view<T, 2> cosines,
                      tensor::view<T, 2> sines) {
        for (index r = 0; r < cosines.extent(0); ++r) {
            auto const row = static_cast<std::size_t>(r);
            if (r > 0 && ids[row].position == ids[row - 1].position) {  // the points of one path, most often
                std::copy_n(cosines[r - 1].data(), rotary.half(), cosines[r].data());
                std::copy_n(sines[r - 1].data(), rotary.half(), sines[r].data());
            } else {
                rotary.angles(ids[row].position, cosines[r].data(), sines[r].data());
            }
        }
    }

    rope const* rotary_ = nullptr;
};

}  // namespace plateau::nn
