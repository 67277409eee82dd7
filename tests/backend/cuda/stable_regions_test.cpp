// The program stable_regions with its rows on the device, beside the same program on the CPU.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <plateau/engine/load.hpp>
#include <plateau/io/npy.hpp>

#include "backend/cuda/on_device.hpp"
#include "support/baked.hpp"
#include "support/process.hpp"
#include "support/scratch.hpp"

#ifdef PLATEAU_TEST_STABLE_REGIONS

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;

/// The first prompts that come with the embedded model.
std::vector<std::string> some_prompts(std::size_t count) {
    std::ifstream file{std::string(baked::data) + "/embedded/prompts.txt"};
    std::vector<std::string> lines(count);
    for (auto& line : lines) REQUIRE(std::getline(file, line));
    return lines;
}

std::vector<double> run(std::filesystem::path const& folder, std::vector<std::string> arguments,
                        std::string const& file = "distances.npy") {
    arguments.insert(arguments.begin(), {baked::stable_regions, "--prompts", (folder / "prompts.txt").string(), "--out",
                                         (folder / "out").string()});
    auto const result = run_process(
        arguments,
        {{"LSAN_OPTIONS", "print_suppressions=0:suppressions=" + std::string(baked::tests) + "/support/leaks.txt"}},
        1200);
    CAPTURE(result.err, result.out);
    REQUIRE(result.status == 0);
    return io::read_npy<double>(folder / "out" / file).values;
}

TEST_CASE("distances on the device are those of the CPU within 1e-5 of the read-out", "[cuda][program]") {
    scratch_dir const folder;
    auto const lines = some_prompts(4);
    std::ofstream text{folder.path() / "prompts.txt"};
    for (auto const& line : lines) text << line << '\n';
    text.close();
    // |F(A)| of each context
    auto const model = load<float>(std::string(baked::data) + "/embedded", {.backend = {.threads = 1}});
    prompt_list prompts;
    for (auto const& line : lines) prompts.push_back(model.tokenize(line));
    std::vector<double> lengths(prompts.size());
    model.run(prompts, hooks::capture<float>("ln_final.hook_out", [&](auto const&, hooks::where const& w, auto rows) {
                  for (std::size_t r = 0; r < w.rows.size(); ++r) {
                      auto const x = rows[static_cast<index>(r)].flat();
                      if (w.rows[r].last)
                          lengths[static_cast<std::size_t>(w.rows[r].item)] = std::sqrt(tensor::dot(x, x));
                  }
              }));
    constexpr std::size_t steps = 9;
    auto const cpu = run(folder.path(), {"--backend", "cpu", "--steps", "9"});
    for (std::string const products : {"fp32", "bf16x3", "tf32"}) {
        auto const device = run(folder.path(), {"--backend", "cuda", "--steps", "9", "--float-products", products});
        REQUIRE(device.size() == cpu.size());
        double worst = 0;
        for (std::size_t i = 0; i < cpu.size(); ++i)
            worst = std::max(worst, std::abs(device[i] - cpu[i]) / lengths[i / steps]);
        CAPTURE(products, worst);
        if (products == "fp32") CHECK(worst < 1e-5);
        else if (products == "bf16x3") CHECK(worst < 1e-4);
        else CHECK((worst > 1e-5 && worst < 1e-2));
        std::ifstream summary{folder.path() / "out" / "summary.json"};
        std::string const said{std::istreambuf_iterator<char>{summary}, {}};
        CHECK_THAT(said, contains("\"backend\": \"cuda\"") && contains(PLATEAU_CUDA_ON_CPU ? "CUDA on a CPU" : "") &&
                             contains(products));
    }
    CHECK(run(folder.path(), {"--backend", "auto", "--steps", "9", "--dtype", "bf16", "--kl", "--top-k", "3"}, "kl.npy")
              .size() == cpu.size());
}

}  // namespace

#endif
