// A model of any published shape without its weights: random ones, drawn as the family starts its training, written as
// a Hugging Face folder. With 7B, 14B or 70B parameters it tells what a study of the real model will take, in how much
// memory: every program takes it as --model FOLDER, and --memory 6G.
//
//     random_folder [CONFIG.JSON FOLDER [fp32|bf16]]
//
// -> wrote [0-9]+ MiB of random weights
// -> 18 layers, as if it had never learned: [0-9.]+ nats at the first token, ln V = [0-9.]+

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

#include <plateau/models/write_folder.hpp>
#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    std::filesystem::path const config = argc > 2 ? argv[1] : "examples/data/embedded/config.json";
    std::filesystem::path const folder =
        argc > 2 ? std::filesystem::path{argv[2]} : std::filesystem::temp_directory_path() / "plateau-random-folder";
    bool const wide = argc > 3 && std::string{argv[3]} == "fp32";

    plateau::backend::cpu_context const cpu;
    auto const bytes =
        plateau::models::write_random_folder(cpu, config, folder, 0, wide ? plateau::dtype::f32 : plateau::dtype::bf16);
    std::printf("wrote %lld MiB of random weights to %s\n", static_cast<long long>(bytes >> 20), folder.c_str());
    if (argc > 2) return 0;

    auto const model = plateau::load<float>(folder);
    auto const logits = model.logits({11, 203});
    double sum = 0;
    for (float const l : logits[0].flat()) sum += std::exp(static_cast<double>(l));
    std::printf("%d layers, as if it had never learned: %.3f nats at the first token, ln V = %.3f\n", model.layers(),
                std::log(sum) - static_cast<double>(logits(0, 203)), std::log(static_cast<double>(model.vocabulary())));
    std::filesystem::remove_all(folder);
}
