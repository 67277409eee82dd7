// Stable regions emerge in training: the same pair at every checkpoint of a model.
//
//     checkpoints_in_training [FOLDER OF MODELS]
//
// -> step-000000 +max slope 1\.[0-9]+
// -> step-000512 +max slope [0-9.]+

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    std::filesystem::path const folder = argc > 1 ? argv[1] : "examples/data/embedded/checkpoints";
    std::vector<std::filesystem::path> checkpoints;
    for (auto const& entry : std::filesystem::directory_iterator(folder)) checkpoints.push_back(entry.path());
    std::sort(checkpoints.begin(), checkpoints.end());

    // checkpoints need no tokenizer of their own
    plateau::prompt_list const prompts{
        {11, 203, 45, 310, 27, 99}, {11, 203, 45, 310, 27, 154}, {8, 61, 402, 77, 15, 33}};
    for (auto const& path : checkpoints) {
        auto const model = plateau::load<float>(path);
        auto const curves = plateau::sweep::interpolate(model, prompts, {{0, 1}, {1, 2}, {2, 0}}, 50);
        double slope = 0;
        for (plateau::index p = 0; p < 3; ++p) {
            slope += plateau::metrics::max_slope(plateau::metrics::relative_distance(curves[p])).value / 3;
        }
        std::printf("%s  max slope %.2f\n", path.filename().c_str(), slope);
    }
}
