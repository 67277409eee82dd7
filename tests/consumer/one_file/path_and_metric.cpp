// A path of one's own (a detour through the origin's side) measured by a metric of one's own (the largest coordinate).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>
#include <vector>

#include <plateau/engine/read/read_out.hpp>
#include <plateau/paths/grid.hpp>
#include <plateau/plateau.hpp>

struct detour {
    std::span<float const> a, b;

    void operator()(double t, std::span<float> out) const {
        auto const shrink = static_cast<float>(1 - std::sin(3.14159265358979 * t) / 2);
        for (std::size_t i = 0; i < out.size(); ++i) {
            out[i] = shrink * (static_cast<float>(1 - t) * a[i] + static_cast<float>(t) * b[i]);
        }
    }
};

int main(int, char** argv) {
    auto const model = plateau::load<float>(argv[1]);
    plateau::prompt_list const prompts{model.tokenize(" The house at the end of the street was very"),
                                       model.tokenize(" The house at the end of the street was in")};
    std::vector<double> largest(20);
    auto const metric =
        plateau::engine::each_read_out<float>("ln_final.hook_out", [&](plateau::engine::read_out<float> const& r) {
            double& most = largest[static_cast<std::size_t>(r.point)];
            for (std::size_t i = 0; i < r.value.size(); ++i) {
                most = std::max(most, std::abs(static_cast<double>(r.value[i]) - r.reference[i]));
            }
        });
    auto const along = plateau::paths::even_grid(0, 1, 20);
    plateau::sweep::curves(
        model, prompts, {{0, 1}},
        [](auto a, auto b) {
        return detour{a, b};
        },
        along, {}, metric);
    for (double const value : largest) std::printf("%a\n", value);
}
