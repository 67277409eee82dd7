#pragma once
/// Interventions of a program: in which prompt rows run, where a point is written, what is frozen.

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/hooks/parse_positions.hpp>
#include <plateau/program/options.hpp>
#include <plateau/sweep/parse_freeze.hpp>

namespace plateau::program {

struct intervention_options {
    std::string context = "A";
    std::string position = "last";
    std::string mode = "last";
    std::vector<std::string> freeze;
};

inline void add_intervention_options(command_line& app, intervention_options& o) {
    add_choice(app, "--context", o.context, {"A", "B", "both"},
               "prompt whose tokens rows run in: A, the first of a pair, or B; x goes from A to B all the same");
    auto const position =
        add_option(app, "--position", &o.position,
                   "where x is written: last, position N, or positions N up to but not M as N:M; counted from 0, "
                   "negative from each prompt's end, either side of the colon may be left out");
    auto const mode = add_choice(app, "--mode", o.mode, {"last", "suffix"},
                                 "last: at --position; suffix: from the first token in which the prompts differ to "
                                 "their end, so that both ends of a path are natural runs; prompts of one length");
    app.add_option("--freeze", &o.freeze,
                   "SITES@A or SITES@mean, may be repeated: hold sites (names or patterns, separated by commas) at "
                   "their values in the context prompt's clean run, or at their mean over the path, at every position "
                   "from the first written one");
    app.then([position, mode, &o] {
        if (position.given() && mode.given() && o.mode == "suffix") {
            throw usage_error("--mode suffix finds its positions itself: leave out --position");
        }
    });
}

/// True if one of these options was given.
inline bool intervenes(command_line const& app) {
    for (auto const* name : {"--context", "--position", "--mode", "--freeze"}) {
        if (app.get_option(name).given()) return true;
    }
    return false;
}

inline engine::write_positions write_positions_of(intervention_options const& o) {
    return {hooks::parse_positions(o.position), o.mode == "suffix"};
}

/// What these options mean.
struct intervention_plan {
    engine::write_positions positions;
    std::vector<sweep::frozen_sites> frozen;
    bool intervenes;  ///< one of them was given
};

inline intervention_plan plan_of(intervention_options const& o, command_line const& app) {
    return {write_positions_of(o), sweep::parse_freeze(o.freeze), intervenes(app)};
}

/// The pairs (A, B) as rows run: in A, in B, or first all in A and then all in B.
inline std::vector<engine::prompt_pair> in_contexts(std::vector<engine::prompt_pair> const& pairs,
                                                    std::string const& context) {
    std::vector<engine::prompt_pair> all;
    if (context != "B") all = pairs;
    if (context == "A") return all;
    for (auto const& pair : pairs) all.push_back(engine::in_other_context(pair));
    return all;
}

/// What was asked for, for summary.json.
inline void tell(intervention_options const& o, nlohmann::ordered_json& summary) {
    std::string freeze;
    for (auto const& one : o.freeze) freeze += (freeze.empty() ? "" : " ") + one;
    summary["context"] = o.context;
    summary["position"] = o.mode == "suffix" ? "suffix" : o.position;
    summary["mode"] = o.mode;
    summary["freeze"] = freeze;
}

}  // namespace plateau::program
