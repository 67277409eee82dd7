// The published experiment on one pair of prompts: how sharply the output changes on the way from A to B, and where.
//
//     first_light [MODEL]
//
// -> max slope 4\.4[0-9]+ at alpha = 0\.500

#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");  // all cores
    auto const curve =
        plateau::sweep::interpolate(model, model.tokenize(" The house at the end of the street was very"),
                                    model.tokenize(" The house at the end of the street was in"), 50,
                                    {.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"});
    auto const relative = plateau::metrics::relative_distance(curve);  // d(α)/d(1)
    auto const slope = plateau::metrics::max_slope(relative);
    std::printf("max slope %.3f at alpha = %.3f\n", slope.value, slope.alpha);
}
