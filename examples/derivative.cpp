// How fast the output moves at an activation, and which parts of the model move it: J u, a tangent behind the row.
//     derivative [MODEL]
// -> all moves: +\|J u\| = [0-9.]+
// -> pattern held: +\|J u\| = [0-9.]+

#include <cmath>
#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    auto const prompt = model.tokenize(" The house at the end of the street was very");
    plateau::tensor::buffer<float, 2> u({1, model.width()});  // at blocks.0.hook_resid_post, the last position
    for (float& x : u.flat()) x = 1;
    for (auto const& [name, held] : {std::pair{"all moves:", ""},
                                     {"pattern held:", "pattern"},
                                     {"gate held:", "gate"},
                                     {"norm_scale held:", "norm_scale"}}) {
        plateau::derivative_of what;  // from there to ln_final.hook_out
        if (*held != 0) what.constant = {held};
        auto const moved = model.jvp(prompt, u, what);
        std::printf("%-16s |J u| = %.3f\n", name, std::sqrt(plateau::tensor::dot(moved.flat(), moved.flat())));
    }
}
