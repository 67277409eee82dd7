// --float-products on the emulation of tiles, which every machine has.

#include <cmath>

#include "programs/run.hpp"

namespace {

using namespace programs;
using plateau::io::read_npy;
using plateau::testing::bytes_of;
using plateau::testing::contains;
using plateau::testing::scratch_dir;

/// Runs stable_regions on the path of that name.
process_result run_on(std::string const& path, words const& arguments) {
    words all{std::string(baked::programs) + "/stable_regions"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    auto variables = environment();
    variables.emplace_back("PLATEAU_INSTRUCTION_SET", path);
    auto result = plateau::testing::run_process(all, variables);
    CAPTURE(path, arguments, result.err);
    REQUIRE_FALSE(result.timed_out);
    return result;
}

/// Two of the embedded model's curves. @param more  options
std::vector<double> distances(std::filesystem::path const& out, words const& more) {
    auto const tokens =
        write_tokens<std::int64_t>(out.parent_path() / "tokens.npy", {{3, 905, 7}, {30, 61, 907}, {500, 6, 70}});
    words all{"--tokens", tokens, "--steps", "5", "--kl", "--out", out.string()};
    all.insert(all.end(), more.begin(), more.end());
    REQUIRE(run_on("amx_emulated", all).status == 0);
    return read_npy<double>(out / "distances.npy").values;
}

double largest_error(std::vector<double> const& some, std::vector<double> const& exact) {
    REQUIRE(some.size() == exact.size());
    double most = 0;
    for (std::size_t i = 0; i < some.size(); ++i) most = std::max(most, std::abs(some[i] - exact[i]));
    return most;
}

TEST_CASE("products of parts give the curves of floats", "[programs][tiles]") {
    scratch_dir const dir;
    auto const exact = distances(dir / "fp64", {"--dtype", "fp64"});
    double size = 0;
    for (double const d : exact) size = std::max(size, d);
    double const in_float = largest_error(distances(dir / "fp32", {}), exact);
    CHECK(largest_error(distances(dir / "six", {"--float-products", "bf16x6"}), exact) < 1.5 * in_float);
    CHECK(largest_error(distances(dir / "three", {"--float-products", "bf16x3"}), exact) < 1e-4 * size);
    double const rounded = largest_error(distances(dir / "one", {"--float-products", "bf16"}), exact);
    CHECK(rounded > 1e-4 * size);
    CHECK(rounded < 0.1 * size);
    CHECK(json_of(dir / "six" / "summary.json").at("float_products") == "bf16x6");
    CHECK(json_of(dir / "six" / "summary.json").at("instruction_set") == "amx_emulated");
}

TEST_CASE("the number of threads changes no byte of products of parts, nor does memory", "[programs][tiles]") {
    scratch_dir const dir;
    for (auto const* products : {"bf16x3", "bf16x6"}) {
        distances(dir / "one", {"--float-products", products, "--threads", "1"});
        distances(dir / "three", {"--float-products", products, "--threads", "3"});
        distances(dir / "turns", {"--float-products", products, "--memory", "45M"});
        for (auto const* file : {"distances.npy", "relative.npy"}) {
            CHECK(bytes_of(dir / "one" / file) == bytes_of(dir / "three" / file));
            CHECK(bytes_of(dir / "one" / file) == bytes_of(dir / "turns" / file));
        }
    }
}

TEST_CASE("products that cannot be had are refused by name", "[programs][tiles][errors]") {
    auto const refused = [](std::string const& path, words const& options, std::string const& part) {
        auto const result = run_on(path, options);
        CHECK(result.status == 2);
        CHECK(result.out.empty());
        CHECK_THAT(result.err, contains(part));
    };
    refused("portable", {"--float-products", "bf16x6"}, "products in bf16x6 are not for the instruction set portable");
    refused("portable", {"--float-products", "tf32"}, "products in tf32");
    refused("amx_emulated", {"--float-products", "bf16x3", "--dtype", "bf16"}, "--float-products bf16x3");
    refused("amx_emulated", {"--float-products", "bf16x3", "--dtype", "fp64"}, "--float-products bf16x3");
}

}  // namespace
