#pragma once
/// Studies of prompt pairs: their options, who is paired with whom, and the sweep along straight lines.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/corpus/pairings.hpp>
#include <plateau/program/long_run/study_sweeps.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/pair_design.hpp>
#include <plateau/sweep/transitions.hpp>

namespace plateau::program {

/// Options of every study of pairs.
struct pair_options : common_options {
    std::string pairs = "chain";
    std::string write_site = "blocks.0.hook_resid_post";
    std::string read_site = "ln_final.hook_out";
    index steps = 50;
    double min_d1 = 0;
    index resamples = 2000;

    sweep::setup sites() const { return {.write = write_site, .read = read_site}; }
    sweep::setup sites(meter& meter) const {
        return {.write = write_site, .read = read_site, .progress = meter.counter()};
    }
};

/// Those of every pair's curve.
inline void add_curve_options(command_line& app, pair_options& o) {
    add_option(app, "--steps", &o.steps, "points per pair, alpha = i/(steps-1)");
    add_option(app, "--min-d1", &o.min_d1, "a pair with d(1) not above this is degenerate");
    add_option(app, "--resamples", &o.resamples, "of the bootstraps that make intervals");
}

inline void add_pair_options(command_line& app, pair_options& o) {
    add_option(app, "--pairs", &o.pairs,
               "chain: (0,1), (1,2), ...; disjoint: (0,1), (2,3), ...; all: every two; or an NPY file of integers "
               "[P,2]: context, other");
    add_curve_options(app, o);
}

inline void add_site_options(command_line& app, pair_options& o) {
    add_option(app, "--write-site", &o.write_site, "where x(alpha) is written");
    add_option(app, "--read-site", &o.read_site, "where the change is read, at the last position");
}

/// @throws usage_error on numbers without sense
inline void require_valid(pair_options const& o) {
    if (o.steps < 2) throw usage_error("--steps must be at least 2, got ", o.steps);
    if (!(o.min_d1 >= 0)) throw usage_error("--min-d1 must be a distance, 0 or more");
    if (o.resamples < 1) throw usage_error("--resamples must be at least 1, got ", o.resamples);
}

/// The pairs that --pairs asks for. @throws usage_error, file_error
inline sweep::pair_design pairs_of(std::string const& how, index prompts) {
    using dependence = sweep::pair_design::dependence;
    using sweep::design_of;
    if (how == "chain") return design_of(corpus::chain_pairs(prompts), prompts, dependence::chain);
    if (how == "disjoint") return design_of(corpus::disjoint_pairs(prompts), prompts, dependence::none);
    if (how == "all") return design_of(corpus::all_pairs(prompts), prompts, dependence::prompts);
    if (!std::filesystem::exists(how)) {
        throw usage_error("--pairs " + how + ": there is no such file; give chain, disjoint, all or an NPY file");
    }
    auto const array = read_integers(how);
    if (array.shape.size() != 2 || array.shape[1] != 2)
        throw usage_error(how + ": pairs must have the shape [P,2]: context, other");
    for (index const i : array.values) {
        if (i >= 0 && i < prompts) continue;
        throw usage_error(how + ": a pair names prompt " + std::to_string(i) + ", there are " +
                          std::to_string(prompts) + ", counted from 0");
    }
    std::vector<corpus::pair> numbers;
    for (std::size_t i = 0; i < array.values.size(); i += 2) numbers.push_back({array.values[i], array.values[i + 1]});
    return design_of(numbers, prompts, dependence::prompts);
}

/// The pairs of a study, whose intervals are made as its options want them.
inline sweep::pair_design pairs_of(pair_options const& o, prompt_list const& prompts) {
    auto design = pairs_of(o.pairs, static_cast<index>(prompts.size()));
    design.resampling = {.resamples = o.resamples, .seed = o.seed};
    return design;
}

/// Prompts and pairs as they ran: tokens.npy, lengths.npy if they differ, pairs.npy. Binds the axes N, T and P.
inline void write_prompts_and_pairs(outputs& out, prompt_list const& prompts, sweep::pair_design const& design) {
    write_prompts(out, prompts);
    out.axis("P", design.count());
    out.array("pairs.npy", design.numbers(), std::identity{});
}

/// Those of relative.npy, max_slope.npy, alpha_jump.npy and width.npy that the manifest tells. Binds the axis S.
inline void write_transitions(outputs& out, sweep::transitions const& curves) {
    out.axis("S", curves.alpha);
    for (auto const& [name, values] : {std::pair{"relative.npy", &curves.relative},
                                       {"max_slope.npy", &curves.max_slope},
                                       {"alpha_jump.npy", &curves.alpha_jump},
                                       {"width.npy", &curves.width}}) {
        if (out.tells(name)) out.array(name, *values);
    }
}

/// How many pairs have no numbers, a line of the report if any; `which` pairs.
inline std::string degenerate_text(sweep::transitions const& curves, std::string const& which = "") {
    return curves.degenerate > 0 ? concat({curves.degenerate, " degenerate pairs", which, " are left out\n"}) : "";
}

}  // namespace plateau::program
