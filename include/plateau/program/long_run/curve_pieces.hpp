#pragma once
/// Distance curves of a run's pieces: their numbers, their files and their picture, a piece at a time.

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/program/long_run/measured.hpp>
#include <plateau/program/outputs.hpp>
#include <plateau/sweep/curves_csv.hpp>
#include <plateau/sweep/transitions.hpp>
#include <plateau/viz/curve_band.hpp>

namespace plateau::program {

/// What holds distance curves [n,S] of the pairs of one piece, as `distances(piece)`.
template <class Results, class Distances>
class curve_pieces {
public:
    /// @param all  kept as a reference      @param min_d1  a pair with d(1) no larger is degenerate
    curve_pieces(measured<Results> const& all, double min_d1, Distances distances)
        : all_{all}, min_d1_{min_d1}, distances_{std::move(distances)} {}

    /// Without the relative curves themselves. @throws numeric_error if all pairs are degenerate
    sweep::transitions numbers(std::vector<double> alpha) const {
        sweep::transitions numbers;
        numbers.alpha = std::move(alpha);
        for (auto const& one : all_) sweep::add_numbers(numbers, relative(one));
        sweep::require_some(numbers, min_d1_);
        return numbers;
    }

    void write_relative(outputs& out) const {
        out.array("relative.npy", all_, [this](Results const& one) { return relative(one); });
    }
    void write_csv(std::vector<engine::prompt_pair> const& pairs, std::vector<double> const& alpha,
                   atomic_file& to) const {
        index first = 0;
        for (auto const& one : all_) {
            sweep::write_csv(pairs, first, alpha, of(one), relative(one), to);
            first += of(one).extent(0);
        }
    }

    /// The relative curves, for a picture. @param pairs,steps  how many there are
    viz::curve_rows rows(index pairs, index steps) const {
        return {pairs, steps, [self = *this, steps](viz::curve_rows::taker const& take) {
                    index pair = 0;
                    for (auto const& one : self.all_) {
                        auto const curves = self.relative(one);
                        auto const length = static_cast<std::size_t>(steps);
                        for (std::size_t at = 0; at < curves.size(); at += length)
                            take(pair++, std::span{curves}.subspan(at, length));
                    }
                }};
    }

private:
    auto const& of(Results const& one) const { return std::invoke(distances_, one); }
    std::vector<double> relative(Results const& one) const { return sweep::relative_curves(of(one), min_d1_); }

    measured<Results> const& all_;
    double min_d1_;
    Distances distances_;
};

}  // namespace plateau::program
