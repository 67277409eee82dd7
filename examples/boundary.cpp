// The place of a jump to a tolerance: where a grid of steps saturates, a few more points tell place and slope.
//
//     boundary [MODEL]
//
// -> on the grid: +alpha = 0\.[0-9]+ \+- 0\.01020, slope [0-9.]+
// -> refined: +alpha = 0\.[0-9]+ \+- 0\.0000[0-9]+

#include <cstdio>

#include <plateau/plateau.hpp>
#include <plateau/sweep/refine_jumps.hpp>

namespace sweep = plateau::sweep;

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in")};
    std::vector<sweep::prompt_pair> const pairs{{0, 1}};
    auto const coarse = sweep::interpolate(model, prompts, pairs, 50);
    auto const steepest = plateau::metrics::max_slope(plateau::metrics::relative_distance(coarse[0]));
    std::printf("on the grid: alpha = %.5f +- %.5f, slope %.2f\n", steepest.alpha, 0.5 / 49, steepest.value);

    auto const path = sweep::paths_of<float>([](auto a, auto b) { return plateau::paths::linear<float>{a, b}; });
    auto const jump = sweep::refine_jumps(model, prompts, pairs, {coarse, path, {}}, {.tolerance = 1e-5})[0];
    std::printf("refined:     alpha = %.5f +- %.6f, slope %.2f, %lld evaluations\n", jump.place, jump.error, jump.slope,
                static_cast<long long>(jump.evaluations));
}
