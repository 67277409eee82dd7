// A path, a metric and a direction of your own: fifteen lines each at most, in a small experiment on the embedded
// model.
//
//     your_own [MODEL]
//
// Copy this file to begin a study. A path is anything that writes x(α), a metric anything that takes a curve, a
// direction anything that makes a vector of an activation: no base class, nothing to register.

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/table.hpp>
#include <plateau/metrics/sampled_curve.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/paths/ray.hpp>
#include <plateau/plateau.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/along.hpp>

namespace baked {
extern char const* const data;  // the folder examples/data; the build says where
}

namespace {

using plateau::index;
using vector = std::vector<float>;

/// My path: the coordinates of A give way to those of B one after the other, instead of all at once. x(0) = A, x(1) =
/// B.
struct coordinate_by_coordinate {
    std::span<float const> a, b;

    void operator()(double alpha, std::span<float> out) const {
        double const replaced = alpha * static_cast<double>(out.size());
        for (std::size_t i = 0; i < out.size(); ++i) {
            auto const share = static_cast<float>(std::clamp(replaced - static_cast<double>(i), 0.0, 1.0));
            out[i] = (1 - share) * a[i] + share * b[i];
        }
    }
};
static_assert(plateau::paths::Path<coordinate_by_coordinate, float>);

/// My metric: the share of the path on which the output is within a tenth of either end's: 0.2 for a straight line, 1
/// for a step.
double share_on_plateaus(std::span<double const> relative) {
    auto const on_one = std::count_if(relative.begin(), relative.end(),
                                      [](double r) { return std::min(std::abs(r), std::abs(r - 1)) <= 0.1; });
    return static_cast<double>(on_one) / static_cast<double>(relative.size());
}

/// My direction: where the activation itself is longest, its eight largest coordinates.
vector toward_its_outliers(std::span<float const> activation) {
    std::vector<std::size_t> order(activation.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    auto const middle = order.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(8, order.size()));
    std::partial_sort(order.begin(), middle, order.end(),
                      [&](std::size_t i, std::size_t j) { return std::abs(activation[i]) > std::abs(activation[j]); });
    vector direction(activation.size());
    for (auto at = order.begin(); at != middle; ++at) direction[*at] = activation[*at];
    return direction;
}

void experiment(std::string const& path) {
    namespace sweep = plateau::sweep;
    auto const model = plateau::load<float>(path);
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in"),
                                       model.tokenize(" He looked at his watch and saw that he had")};
    std::vector<sweep::prompt_pair> const pairs{{0, 1}, {1, 2}, {2, 0}};
    auto const alpha = plateau::paths::even_grid(0, 1, 50);

    plateau::table by_path{{"path", "pair", "max slope", "share on plateaus"}};
    auto const measure = [&](char const* name, auto const& make) {
        auto const curves = sweep::curves(model, prompts, pairs, make, alpha);
        for (index p = 0; p < 3; ++p) {
            auto const relative = plateau::metrics::relative_distance(curves[p]);
            by_path.row({name, std::to_string(p), plateau::fixed(plateau::metrics::max_slope(relative).value, 2),
                         plateau::fixed(share_on_plateaus(relative), 2)});
        }
    };
    measure("straight line", [](auto a, auto b) { return plateau::paths::linear<float>{a, b}; });
    measure("coordinate by coordinate", [](auto a, auto b) { return coordinate_by_coordinate{a, b}; });

    // from each activation along a direction, by lengths in units of its own
    auto const activations = sweep::last_activations(model, prompts, "blocks.0.hook_resid_post");
    auto const lengths = plateau::paths::even_grid(0, 1, 21);
    plateau::table by_direction{{"direction", "prompt", "output moved by 0.25 |A|", "by |A|"}};
    auto const walk = [&](char const* name, auto const& direction) {
        std::vector<sweep::prompt_pair> const alone{{0, 0}, {1, 1}, {2, 2}};
        auto const curves =
            sweep::distances_along(model, prompts, alone, lengths, [&](index p, index point, auto a, auto, auto out) {
                std::span<float const> const from = a[0].flat();
                double const size = plateau::paths::length_of(from, "an activation");
                vector const along = direction(p, from);
                plateau::paths::ray<float>{from, along}(size * lengths[static_cast<std::size_t>(point)], out[0].flat());
            });
        for (index p = 0; p < 3; ++p) {
            double const quarter = plateau::metrics::value_at(lengths, curves[p], 0.25);
            by_direction.row(
                {name, std::to_string(p), plateau::fixed(quarter, 2), plateau::fixed(curves[p].back(), 2)});
        }
    };
    walk("toward its outliers", [](index, std::span<float const> a) { return toward_its_outliers(a); });
    walk("toward the next prompt's", [&](index p, std::span<float const> a) {
        vector direction(a.begin(), a.end());
        for (std::size_t i = 0; i < direction.size(); ++i)
            direction[i] = activations((p + 1) % 3, static_cast<index>(i)) - a[i];
        return direction;
    });
    std::cout << by_path.render() << '\n' << by_direction.render();
}

}  // namespace

int main(int argc, char** argv) try {
    experiment(argc > 1 ? std::string(argv[1]) : std::string(baked::data) + "/embedded");
    return 0;
} catch (std::exception const& problem) {
    std::cerr << "your_own: " << problem.what() << '\n';
    return 1;
}
