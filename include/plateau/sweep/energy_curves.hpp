#pragma once
/// Curves of attention heads along paths, kept: what marks are found in.

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <plateau/sweep/attention_energy.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::sweep {

/// One kind of curve of a head, and what it is.
struct energy_curve_name {
    char const* name;
    char const* what;
    std::vector<double> head_path::*values;
};
inline constexpr std::array<energy_curve_name, 6> energy_curve_names{{
    {"energy", "E over keys before the last position; unit of |q|^2", &head_path::fixed},
    {"energy_centred", "that with the mean of those keys taken away", &head_path::centred},
    {"energy_own", "E over all keys", &head_path::own},
    {"entropy", "of the pattern; nats", &head_path::entropy},
    {"margin", "largest score - the second largest", &head_path::margin},
    {"from_start", "Jensen-Shannon distance of the pattern to that at alpha = 0", &head_path::from_start},
}};

/// Of P pairs, L blocks, H heads, S points; NaN in blocks before the write site.
class energy_curves {
public:
    energy_curves() = default;
    energy_curves(index pairs, index layers, index heads, index points) {
        for (auto& one : curves_) {
            one = tensor::buffer<double, 4>({pairs, layers, heads, points});
            std::fill_n(one.data(), one.size(), std::numeric_limits<double>::quiet_NaN());
        }
    }

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        for (auto& one : self.curves_) visit(one);
    }

    /// Called concurrently for different heads.
    void take(head_path const& path) {
        for (std::size_t k = 0; k < curves_.size(); ++k) {
            auto const& values = path.*energy_curve_names[k].values;
            std::copy(values.begin(), values.end(), curves_[k][path.pair][path.layer][path.head].data());
        }
    }

    /// [P,L,H,S] of kind number k.
    tensor::buffer<double, 4> const& operator[](std::size_t k) const { return curves_[k]; }

private:
    std::array<tensor::buffer<double, 4>, energy_curve_names.size()> curves_;
};

}  // namespace plateau::sweep
