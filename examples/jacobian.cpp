// The directions along which the output moves most: singular values of a Jacobian, whole and from products alone.
//     jacobian [MODEL]
// -> \|J\|_F = [0-9.]+, estimated [0-9.]+ \([0-9.]+ to [0-9.]+\)
// -> sigma_1 = [0-9.]+: [0-9.]+ % of \|J\|_F\^2

#include <cstdio>

#include <plateau/engine/spectrum.hpp>
#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    auto const prompt = model.tokenize(" The house at the end of the street was very");
    plateau::derivative_of const what{.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"};
    auto const jacobian = model.jacobian(prompt, what);  // [W, D], a tangent for every column
    double const square = plateau::tensor::dot(jacobian.flat(), jacobian.flat());
    auto const estimate = plateau::frobenius_norm(model, prompt, what, 50);  // of 50 random directions
    std::printf("|J|_F = %.3f, estimated %.3f (%.3f to %.3f)\n", std::sqrt(square), estimate.value, estimate.low,
                estimate.high);
    auto const largest = plateau::singular_pairs(model, prompt, 3, what);  // by J v and J^T u
    for (std::size_t i = 0; i < largest.values.size(); ++i) {
        double const sigma = largest.values[i];
        std::printf("sigma_%zu = %.3f: %.1f %% of |J|_F^2\n", i + 1, sigma, 100 * sigma * sigma / square);
    }
}
