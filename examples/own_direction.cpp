// A direction of your own: how far the output goes when an activation is pushed that way, by lengths of its own size.
//
//     own_direction [MODEL]
//
// -> toward its largest coordinates: 0\.00 [0-9.]+ [0-9.]+

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <span>

#include <plateau/paths/grid.hpp>
#include <plateau/paths/ray.hpp>
#include <plateau/plateau.hpp>

namespace {

/// The activation's eight largest coordinates alone.
std::vector<float> toward_its_outliers(std::span<float const> activation) {
    std::vector<std::size_t> order(activation.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](std::size_t i, std::size_t j) { return std::abs(activation[i]) > std::abs(activation[j]); });
    std::vector<float> direction(activation.size());
    for (std::size_t k = 0; k < std::min<std::size_t>(8, order.size()); ++k) direction[order[k]] = activation[order[k]];
    return direction;
}

}  // namespace

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very")};
    auto const lengths = plateau::paths::even_grid(0, 1, 11);

    // a point is anything that a function writes; here from and to are the same activation
    auto const curves = plateau::sweep::distances_along<float>(
        model, prompts, {{0, 0}}, lengths, [&](auto, plateau::index point, auto from, auto, auto out) {
            std::span<float const> const a = from[0].flat();
            double const size = plateau::paths::length_of(a, "an activation");
            auto const direction = toward_its_outliers(a);
            plateau::paths::ray<float>{a, direction}(size * lengths[static_cast<std::size_t>(point)], out[0].flat());
        });
    std::printf("toward its largest coordinates:");
    for (double const distance : curves[0]) std::printf(" %.2f", distance);
    std::printf("\n");
}
