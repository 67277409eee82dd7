// Stable regions of a small published-format model against the published implementation's numbers, without any library
// that has to be compiled: for processors and emulators of all kinds. Prints the path that computed.

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <plateau/io/npy.hpp>
#include <plateau/sweep/interpolate.hpp>

namespace {

using plateau::index;

/// The largest error of d(α) in units of ‖F(A)‖.
template <class T>
double worst_error(std::filesystem::path const& folder) {
    auto const read = [&](char const* name) { return plateau::io::read_npy(folder / "curves" / name); };
    auto const tokens = plateau::io::integers(read("tokens.npy"), "tokens"),
               pairs = plateau::io::integers(read("pairs.npy"), "pairs");
    auto const distances = plateau::io::read_npy<double>(folder / "curves" / "distances.npy");
    auto const norms = plateau::io::read_npy<double>(folder / "curves" / "norms.npy");
    plateau::prompt_list prompts;
    for (index i = 0; i < tokens.shape.at(0); ++i) {
        auto const first = tokens.values.begin() + i * tokens.shape.at(1);
        prompts.emplace_back(first, first + tokens.shape.at(1));
    }
    std::vector<plateau::sweep::prompt_pair> list;
    for (std::size_t i = 0; i < pairs.values.size(); i += 2) list.push_back({pairs.values[i], pairs.values[i + 1]});
    auto const model = plateau::load<T>(folder, {.backend = {.threads = 2}});
    index const steps = distances.shape.at(1);
    auto const curves = plateau::sweep::interpolate(model, prompts, list, steps);
    double worst = 0;
    for (index p = 0; p < curves.distances.extent(0); ++p) {
        for (index i = 0; i < steps; ++i) {
            double const expected = distances.values[static_cast<std::size_t>(p * steps + i)];
            double const error =
                std::abs(curves.distances(p, i) - expected) / norms.values[static_cast<std::size_t>(p)];
            worst = error <= worst ? worst : error;  // a NaN is the worst
        }
    }
    return worst;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    plateau::backend::cpu_context const ctx{2};
    auto const path = std::string{name_of(ctx.path())};
    bool good = true;
    for (auto const* name : {"llama_gqa", "gpt2"}) {
        auto const folder = std::filesystem::path{argv[1]} / name;
        double const single = worst_error<float>(folder), full = worst_error<double>(folder);
        std::printf("%s, %s: worst error %.1e in float, %.1e in double\n", name, path.c_str(), single, full);
        good = good && single <= 1e-5 && full <= 1e-9;
    }
    return good ? 0 : 1;
}
