#pragma once
/// Landmarks of attention heads along paths, and how far they are from the output's jump.

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <plateau/metrics/landmarks.hpp>
#include <plateau/sweep/attention_energy.hpp>
#include <plateau/sweep/pair_design.hpp>

namespace plateau::sweep {

/// What is looked for on each head's path, and what it is.
struct mark_name {
    char const* name;
    char const* what;
};
inline constexpr std::array<mark_name, 7> mark_names{{
    {"ridge", "where the energy over keys before the last position is highest above the line between its ends"},
    {"ridge, centred", "the same with the mean of those keys taken away"},
    {"ridge, own key", "the same over all keys"},
    {"entropy peak", "where the pattern's entropy is largest, if not at an end"},
    {"margin low", "where the two largest scores are nearest, if not at an end"},
    {"fastest change", "the step over which the pattern's Jensen-Shannon distance to alpha = 0 changes most"},
    {"switch", "where the likeliest key changes, of heads in which it does once"},
}};
inline constexpr index marks = static_cast<index>(mark_names.size());
inline constexpr index switch_mark = marks - 1;

/// Of P pairs, L blocks, H heads. Blocks before the write site have NaN, and no switches.
class energy_marks {
public:
    energy_marks() = default;
    energy_marks(index pairs, index layers, index heads)
        : places_({marks, pairs, layers, heads}), switches_({pairs, layers, heads}) {
        std::fill_n(places_.data(), places_.size(), std::numeric_limits<double>::quiet_NaN());
    }

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.places_, 1), visit(self.switches_);
    }

    /// Called concurrently for different heads.
    void take(head_path const& path) {
        auto const lowest = [&] {
            auto turned = path.margin;
            for (double& one : turned) one = -one;
            return metrics::inner_maximum(turned).place;
        };
        auto const put = [&](index mark, double place) { places_(mark, path.pair, path.layer, path.head) = place; };
        put(0, metrics::ridge_of(path.fixed).place);
        put(1, metrics::ridge_of(path.centred).place);
        put(2, metrics::ridge_of(path.own).place);
        put(3, metrics::inner_maximum(path.entropy).place);
        put(4, lowest());
        put(5, metrics::fastest_step(path.from_start).place);
        index switches = 0;
        double place = 0;
        auto const intervals = static_cast<double>(path.likeliest.size() - 1);
        for (std::size_t i = 1; i < path.likeliest.size(); ++i) {
            if (path.likeliest[i] == path.likeliest[i - 1]) continue;
            ++switches;
            // the lead of one key becomes that of the other: linear in between
            double const share = path.margin[i - 1] / (path.margin[i - 1] + path.margin[i]);
            place = (static_cast<double>(i - 1) + (std::isnan(share) ? 0.5 : share)) / intervals;
        }
        switches_(path.pair, path.layer, path.head) = switches;
        if (switches == 1) put(switch_mark, place);
    }

    index pairs() const { return switches_.extent(0); }
    index layers() const { return switches_.extent(1); }
    index heads() const { return switches_.extent(2); }
    tensor::buffer<double, 4> const& places() const { return places_; }     ///< [M,P,L,H] α, NaN where there is none
    tensor::buffer<index, 3> const& switches() const { return switches_; }  ///< [P,L,H] changes of the likeliest key

private:
    tensor::buffer<double, 4> places_;
    tensor::buffer<index, 3> switches_;
};

}  // namespace plateau::sweep
