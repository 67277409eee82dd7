// The ratios that say how good the CUDA backend is on the device of this machine: matrix products against large ones,
// kernels against copies, passes against what they consist of. Each figure is the median of some rounds; in every round
// what is compared runs in turn. The exit status is 1 if one misses its gate, and 0 where there is no device to
// measure.

#include <exception>
#include <string_view>

#include "kernels.hpp"
#include "passes.hpp"
#include "points.hpp"
#include "products.hpp"

namespace {

using namespace plateau::benchmarks;
using plateau::fixed;

constexpr char const* usage =
    "gpu_ratios [--quick] [--part PART] [--rounds N] [--peer FILE] [--json FILE] [--rehearse]\n"
    "  --quick      a first look: short rounds, models of 4 layers\n"
    "  --part PART  products (G1, G8), kernels (G4), passes (G2, G3, G5) or points (G6, G7) alone\n"
    "  --rounds N   every figure is the median of so many (default: 7)\n"
    "  --peer FILE  what benchmarks/gpu/torch_peer.py wrote: adds G6 and G7\n"
    "  --json FILE  writes the same figures there\n"
    "  --rehearse   tiny sizes, whose figures mean nothing: shows that the program runs\n";

struct options {
    gpu_settings s;
    std::string json, part, peer;
    bool help = false;
};

options parse(int argc, char** argv) {
    options o;
    for (int i = 1; i < argc; ++i) {
        std::string_view const option = argv[i];
        if (option == "--help") o.help = true;
        else if (option == "--quick") o.s.quick = true, o.s.rounds = 3, o.s.slice = 0.003, o.s.layers = 4;
        else if (option == "--rehearse") {
            o.s.quick = o.s.tiny = true;
            o.s.rounds = 1, o.s.slice = 0, o.s.rows = 128, o.s.cube = 128, o.s.bytes = 1000, o.s.layers = 3;
        } else if (option == "--rounds" && i + 1 < argc && std::atoi(argv[i + 1]) > 0)
            o.s.rounds = std::atoi(argv[++i]);
        else if (option == "--part" && i + 1 < argc) o.part = argv[++i];
        else if (option == "--peer" && i + 1 < argc) o.peer = argv[++i];
        else if (option == "--json" && i + 1 < argc) o.json = argv[++i];
        else throw plateau::usage_error("there is no option ", option, ", or it needs a value\n", usage);
    }
    if (!o.part.empty() && o.part != "products" && o.part != "kernels" && o.part != "passes" && o.part != "points") {
        throw plateau::usage_error("there is no part ", o.part, ": there are products, kernels, passes and points");
    }
    return o;
}

int run(options const& o) {
    std::string name;
    try {
        name = device{}.device_name();
    } catch (plateau::device_error const& problem) {
        bool const helps = std::string_view{problem.what()}.find("use --backend cpu") != std::string_view::npos;
        if (!helps) throw;
        std::printf("skipped: %s\n", problem.what());
        return 0;
    }
    auto const peer = read_peer_points(o.peer);
    std::vector<ratio> ratios;
    std::vector<std::string> failed;
    double const spent = wall_seconds([&] {
        auto const part = [&](char const* called, auto const& measure) {
            if (!o.part.empty() && o.part != called) return;
            std::fprintf(stderr, "%s ...\n", called);
            try {
                measure();
            } catch (plateau::error const& problem) {  // the figures of the other parts count all the same
                failed.push_back(plateau::concat({called, ": ", problem.what()}));
                std::fprintf(stderr, "gpu_ratios: %s\n", failed.back().c_str());
            }
        };
        part("products", [&] { measure_gpu_products(o.s, ratios); });
        part("kernels", [&] { measure_gpu_kernels(o.s, ratios); });
        part("passes", [&] { measure_gpu_passes(o.s, ratios); });
        part("points", [&] { measure_gpu_points(o.s, peer, ratios); });
    });
    if (o.s.tiny) {
        for (auto& one : ratios) one.not_applicable = "rehearsed";
    }
    std::stable_sort(ratios.begin(), ratios.end(),
                     [](ratio const& a, ratio const& b) { return a.order() < b.order(); });
    char const* const doubt = o.s.tiny    ? " (--rehearse: these figures mean nothing)"
                              : o.s.quick ? " (--quick: do not quote)"
                                          : "";
    std::printf("%s, medians of %d rounds%s, %s seconds\n\n", name.c_str(), o.s.rounds, doubt, fixed(spent, 0).c_str());
    std::fputs(render(ratios).c_str(), stdout);
    for (auto const& one : failed) std::printf("failed: %s\n", one.c_str());
    if (!o.json.empty()) {
        write_json(o.json,
                   {{"device", name},
                    {"rounds", o.s.rounds},
                    {"quick", o.s.quick},
                    {"rehearsed", o.s.tiny},
                    {"seconds", spent},
                    {"failed", failed}},
                   ratios);
    }
    if (!failed.empty()) return 2;
    return std::any_of(ratios.begin(), ratios.end(), [](ratio const& r) { return r.failed(); }) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        auto const o = parse(argc, argv);
        if (o.help) return std::fputs(usage, stdout), 0;
        return run(o);
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "gpu_ratios: %s\n", problem.what());
        return 2;
    }
}
