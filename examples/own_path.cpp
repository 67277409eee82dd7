// A path of your own between two activations, beside the straight line. A path is anything that writes x(t).
//
//     own_path [MODEL]
//
// -> straight line +max slope [0-9.]+
// -> coordinate by coordinate +max slope [0-9.]+

#include <algorithm>
#include <cstdio>
#include <span>

#include <plateau/plateau.hpp>

namespace {

/// The coordinates of A give way to those of B one after the other, instead of all at once. x(0) = A, x(1) = B.
struct coordinate_by_coordinate {
    std::span<float const> a, b;

    void operator()(double t, std::span<float> out) const {
        double const replaced = t * static_cast<double>(out.size());
        for (std::size_t i = 0; i < out.size(); ++i) {
            auto const share = static_cast<float>(std::clamp(replaced - static_cast<double>(i), 0.0, 1.0));
            out[i] = (1 - share) * a[i] + share * b[i];
        }
    }
};

}  // namespace

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in")};
    auto const grid = plateau::paths::even_grid(0, 1, 50);
    auto const measure = [&](char const* name, auto const& path) {
        auto const curves = plateau::sweep::curves(model, prompts, {{0, 1}}, path, grid);
        auto const relative = plateau::metrics::relative_distance(curves[0]);  // d(α)/d(1)
        std::printf("%-26s max slope %.2f\n", name, plateau::metrics::max_slope(relative).value);
    };
    measure("straight line", [](auto a, auto b) { return plateau::paths::linear<float>{a, b}; });
    measure("coordinate by coordinate", [](auto a, auto b) { return coordinate_by_coordinate{a, b}; });
}
