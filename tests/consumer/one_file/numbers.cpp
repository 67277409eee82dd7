// Compiled twice: from the headers alone, as by_headers, and linked to plateau::compiled, as by_library.
#include "numbers.hpp"

#include <plateau/paths/grid.hpp>
#include <plateau/paths/slerp.hpp>
#include <plateau/plateau.hpp>

std::vector<double> NAME(char const* path) {
    std::vector<double> all;
    auto const model = plateau::load<float>(path, {.backend = {.threads = 2}});
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in")};
    for (double const d : plateau::sweep::interpolate(model, prompts[0], prompts[1], 20)) all.push_back(d);
    auto const curves = plateau::sweep::curves(
        model, prompts, {{0, 1}},
        [](auto a, auto b) {
        return plateau::paths::slerp<float>{a, b};
        },
        plateau::paths::even_grid(0, 1, 20));
    for (double const d : curves[0]) all.push_back(d);
    auto const [logits, cache] = model.run_with_cache(prompts[0], {"blocks.*.attn.hook_pattern"});
    for (float const x : logits.flat()) all.push_back(x);
    auto const shuffled = plateau::load<float>(path, {.weights = plateau::weights::shuffled, .seed = 3});
    auto const others = shuffled.logits(prompts[1]);
    for (float const x : others.flat()) all.push_back(x);
    return all;
}
