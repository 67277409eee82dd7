// One pair of prompts, one curve: the whole library in twenty lines.

#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    std::string const path = argc > 1 ? argv[1] : "examples/data/embedded";
    plateau::backend::cpu_context const ctx{};  // all cores
    auto const model = plateau::models::load<float>(path, ctx);
    auto const curve =
        plateau::sweep::interpolate(ctx, model, model.tokenize(" The house at the end of the street was very"),
                                    model.tokenize(" The house at the end of the street was in"),
                                    {.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out", .steps = 50});
    auto const relative = plateau::metrics::relative_distance(curve);  // d(α)/d(1)
    auto const slope = plateau::metrics::max_slope(relative);
    std::printf("max slope %.3f at alpha = %.3f\n", slope.value, slope.alpha);
}
