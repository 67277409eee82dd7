// The ratios that say how good the CPU backend is: against the processor's peak, against other libraries, and the
// engine against its own matrix products. Each figure is the median of some rounds; in every round what is compared
// runs in turn. The exit status is 1 if one misses its gate.

#include <exception>
#include <string_view>

#include <plateau/core/core_affinity.hpp>

#include "ratios/engine.hpp"
#include "ratios/machine.hpp"
#include "ratios/peers.hpp"
#include "ratios/products.hpp"

namespace {

using namespace plateau::benchmarks;
using plateau::core_affinity;
using plateau::fixed;

constexpr char const* usage =
    "ratios [--quick] [--part PART] [--threads N] [--rounds N] [--json FILE]\n"
    "  --quick      a look in 20 seconds: short rounds, models of 4 layers\n"
    "  --part PART  products (C1, C2), peers (C3 to C5) or engine (C6 to C11) alone\n"
    "  --threads N  of the engine (default: 2, or 1 on a machine with one processor)\n"
    "  --rounds N   at least that many, and every figure is the median (default: 7)\n"
    "  --json FILE  writes the same figures there\n"
    "PLATEAU_INSTRUCTION_SET chooses the path, OPENBLAS_CORETYPE the kernels of OpenBLAS.\n";

int positive(std::string_view option, char const* text) {
    int const value = text == nullptr ? 0 : std::atoi(text);
    if (value < 1) throw plateau::usage_error(option, " needs a number of at least 1");
    return value;
}

int run(int argc, char** argv) {
    settings s;
    s.threads = std::min(2, plateau::resolve_threads(0));
    std::string json, part;
    for (int i = 1; i < argc; ++i) {
        std::string_view const option = argv[i];
        if (option == "--help") return std::fputs(usage, stdout), 0;
        if (option == "--quick") s.quick = true, s.rounds = 3, s.slice = 0.002;
        else if (option == "--threads") s.threads = positive(option, argv[++i]);
        else if (option == "--rounds") s.rounds = positive(option, argv[++i]);
        else if (option == "--part" && i + 1 < argc) part = argv[++i];
        else if (option == "--json" && i + 1 < argc) json = argv[++i];
        else throw plateau::usage_error("there is no option ", option, ", or it needs a value\n", usage);
    }
    if (!part.empty() && part != "products" && part != "peers" && part != "engine") {
        throw plateau::usage_error("there is no part ", part, ": there are products, peers and engine");
    }
    context const ctx{s.threads};
    if (!has_vectors(ctx.path())) {
        throw plateau::usage_error("the portable path has no peak to compare with: these figures need AVX2 or AVX-512");
    }
    other_programs const others;
    core_affinity const held{s.threads};
    std::vector<ratio> ratios;
    std::string peers;
    double const spent = wall_seconds([&] {
        auto const wanted = [&](char const* name) {
            bool const runs = part.empty() || part == name;
            if (runs) std::fprintf(stderr, "%s ...\n", name);
            return runs;
        };
        if (wanted("products")) measure_products(s, ratios);
        if (wanted("peers")) peers = measure_peers(s, ratios);
        if (wanted("engine")) measure_engines(s, ratios);
    });
    std::stable_sort(ratios.begin(), ratios.end(),
                     [](ratio const& a, ratio const& b) { return a.order() < b.order(); });

    double const disturbance = others.processors();
    std::string const processor = processor_name(), path{name_of(ctx.path())}, rounds = std::to_string(s.rounds);
    std::printf("%s, path %s, %d threads%s, medians of %s rounds or more%s\n", processor.c_str(), path.c_str(),
                s.threads, held.held() ? " held on as many cores" : ", not held on cores", rounds.c_str(),
                s.quick ? " (--quick: do not quote)" : "");
    if (!peers.empty()) std::printf("peers: %s\n", peers.c_str());
    std::printf("%s seconds; meanwhile other programs used %s processors\n\n", fixed(spent, 0).c_str(),
                fixed(disturbance, 2).c_str());
    std::fputs(render(ratios).c_str(), stdout);
    if (!json.empty()) {
        write_json(json,
                   {{"processor", processor},
                    {"path", path},
                    {"threads", s.threads},
                    {"rounds", s.rounds},
                    {"quick", s.quick},
                    {"peers", peers},
                    {"other_programs", disturbance},
                    {"seconds", spent}},
                   ratios);
    }
    return std::any_of(ratios.begin(), ratios.end(), [](ratio const& r) { return r.failed(); }) ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc, argv);
    } catch (std::exception const& problem) {
        std::fprintf(stderr, "ratios: %s\n", problem.what());
        return 2;
    }
}
