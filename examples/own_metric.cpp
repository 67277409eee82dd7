// A metric of your own along paths: how often the likeliest next token changes on the way from A to B.
//
//     own_metric [MODEL]
//
// -> pair 0: [0-9]+ changes of the likeliest token
// -> pair 1: [0-9]+ changes

#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in"),
                                       model.tokenize(" He looked at his watch and saw that he had")};
    std::vector<plateau::sweep::prompt_pair> const pairs{{0, 1}, {0, 2}};
    plateau::index const steps = 50;

    // read beside the distances, in the same run of the rows
    plateau::engine::predictions<float> seen{2, steps, 1};
    plateau::sweep::interpolate(model, prompts, pairs, steps, {},
                                plateau::engine::read_predictions(model.engine(), seen));

    for (plateau::index p = 0; p < 2; ++p) {
        int changes = 0;
        for (plateau::index i = 1; i < steps; ++i) changes += seen.best(p, i, 0).token != seen.best(p, i - 1, 0).token;
        std::printf("pair %d: %d changes of the likeliest token; KL(p(0) || p(1)) = %.3f nats\n", static_cast<int>(p),
                    changes, seen.kl_from_start(p, steps - 1));
    }

    // or reduce whatever a site holds yourself: told of each point beside the first one of its path
    double sum = 0;
    plateau::sweep::interpolate(
        model, prompts, {{0, 1}}, steps, {},
        plateau::engine::each_read_out<float>("ln_final.hook_out", [&](plateau::engine::read_out<float> const& r) {
            if (r.point + 1 == r.points) sum = plateau::metrics::l2_distance<float>(r.value, r.reference);
        }));
    std::printf("d(1) of pair 0: %.2f\n", sum);
}
