// A text as tokens, and what the model expects after each of them.
//
//     predictions [MODEL] [TEXT]
//
// -> ' house' -> '.+' with probability 0.[0-9]+
// -> ([0-9]+ tokens)

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    auto const tokens = model.tokenize(argc > 2 ? argv[2] : " The house at the end of the street");
    auto const logits = model.logits(tokens);  // [T, V]

    for (plateau::index t = 0; t < logits.extent(0); ++t) {
        auto const row = logits[t].flat();
        auto const best = std::max_element(row.begin(), row.end());
        double sum = 0;
        for (float const l : row) sum += std::exp(static_cast<double>(l) - static_cast<double>(*best));
        std::printf("'%s' -> '%s' with probability %.3f\n", model.decode(tokens[static_cast<std::size_t>(t)]).c_str(),
                    model.decode(static_cast<int>(best - row.begin())).c_str(), 1 / sum);
    }
    std::printf("(%d tokens)\n", static_cast<int>(tokens.size()));
}
