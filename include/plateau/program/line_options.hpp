#pragma once
/// Options of the paths between activations of pairs, and of their control: random directions.

#include <string>
#include <vector>

#include <plateau/program/pairs.hpp>
#include <plateau/sweep/named_paths.hpp>

namespace plateau::program {

struct line_options : pair_options {
    std::string path = "linear", toward = "other";

    bool random() const { return toward == "random"; }
};

/// --path and --toward, beside those of pairs and sites.
inline void add_line_options(command_line& app, line_options& o) {
    add_pair_options(app, o);
    add_site_options(app, o);
    std::vector<std::string> paths;
    for (auto const& one : sweep::path_names) paths.emplace_back(one.name);
    add_choice(app, "--path", o.path, paths, "how x goes from A to B, as in stable_regions");
    add_choice(app, "--toward", o.toward, {"other", "random"},
               "other: to B; random: along straight lines of the same length in a random direction");
}

/// @throws usage_error on numbers without sense, or a bent path in a random direction
inline void require_valid(line_options const& o) {
    require_valid(static_cast<pair_options const&>(o));
    if (o.random() && o.path != "linear") throw usage_error("--toward random goes along straight lines alone");
}

}  // namespace plateau::program
