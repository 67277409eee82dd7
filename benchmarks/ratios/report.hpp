#pragma once
/// Ratios, what they have to reach, and the table of them.

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/table.hpp>

namespace plateau::benchmarks {

struct settings {
    int rounds = 7;        ///< at least that many, and every figure is the median of them
    double slice = 0.005;  ///< seconds that a product is repeated per round
    int threads = 2;       ///< of the engine; products alone run on one
    bool quick = false;    ///< fewer layers
};

struct ratio {
    std::string id, what;
    double measured;
    double gate, aim;      ///< 0 where there is none
    bool at_most = false;  ///< small is good
    std::string detail = {};
    std::string not_applicable = {};  ///< why neither gate nor aim counts here

    bool reaches(double bound) const { return at_most ? measured <= bound : measured >= bound; }
    bool failed() const { return not_applicable.empty() && !reaches(gate); }
    std::string verdict() const {
        if (!not_applicable.empty()) return "n/a: " + not_applicable;
        if (!reaches(gate)) return "BELOW THE GATE";
        return aim != 0 && reaches(aim) ? "aim reached" : "passes";
    }
    /// C1, C1b, C2, ..., C10
    std::pair<int, std::string> order() const { return {std::atoi(id.c_str() + 1), id}; }
};

inline std::string bound_text(ratio const& r, double bound) {
    return bound == 0 ? "-" : fixed(bound, 2) + (r.at_most ? " at most" : "");
}

inline std::string render(std::vector<ratio> const& ratios) {
    table t{{"id", "what", "measured", "gate", "aim", "verdict", "details"}};
    for (auto const& r : ratios) {
        t.row({r.id, r.what, fixed(r.measured, 3), bound_text(r, r.gate), bound_text(r, r.aim), r.verdict(), r.detail});
    }
    return t.render();
}

/// @throws file_error
inline void write_json(std::string const& path, nlohmann::ordered_json run, std::vector<ratio> const& ratios) {
    run["ratios"] = nlohmann::ordered_json::array();
    auto const bound = [](double value) {
        return value == 0 ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(value);
    };
    for (auto const& r : ratios) {
        run["ratios"].push_back({{"id", r.id},
                                 {"what", r.what},
                                 {"measured", r.measured},
                                 {"gate", bound(r.gate)},
                                 {"aim", bound(r.aim)},
                                 {"at_most", r.at_most},
                                 {"verdict", r.verdict()},
                                 {"details", r.detail}});
    }
    std::ofstream file{path};
    file << run.dump(2) << '\n';
    if (!file.flush()) throw file_error("cannot write ", path, ": does its folder exist?");
}

}  // namespace plateau::benchmarks
