// The plane through the activations of three prompts, seen from each of them: a picture of letters.
//
//     slice [MODEL]
//
// -> [ABC.][ABC.][ABC.][ABC.]+

#include <algorithm>
#include <cstdio>

#include <plateau/paths/grid.hpp>
#include <plateau/plateau.hpp>
#include <plateau/sweep/slice.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in"),
                                       model.tokenize(" He looked at his watch and saw that he had")};
    auto const axis = plateau::paths::even_grid(-0.25, 1.25, 25);
    auto const found = plateau::sweep::slice(model, prompts, {0, 1, 2}, plateau::paths::surface_grid{axis, axis});

    // near is where an output is closer to an anchor's own than a third of the way to the farthest point
    double far[3];
    for (int k = 0; k < 3; ++k)
        far[k] = *std::max_element(found.distances[k].flat().begin(), found.distances[k].flat().end());
    for (plateau::index v = 24; v >= 0; --v) {
        for (plateau::index u = 0; u < 25; ++u) {
            int nearest = 0;
            auto const share = [&](int k) { return found.distances(k, v, u) / far[k]; };
            for (int k = 1; k < 3; ++k) nearest = share(k) < share(nearest) ? k : nearest;
            std::putchar(share(nearest) < 1.0 / 3 ? "ABC"[nearest] : '.');
        }
        std::putchar('\n');
    }
}
