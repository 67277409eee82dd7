#pragma once
/// What programs leave: room for it, the summary, and where to find it.

#include <filesystem>
#include <initializer_list>
#include <iostream>
#include <string>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include <plateau/backend/backends.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/output_set.hpp>

#include "options.hpp"

namespace program {

/// @throws memory_error if `count` things of `bytes` each cannot fit into this machine's memory
inline void require_memory(index count, index bytes, std::string const& what, std::string const& way_out) {
    index const memory = static_cast<index>(::sysconf(_SC_PHYS_PAGES)) * static_cast<index>(::sysconf(_SC_PAGESIZE));
    if (count <= memory / bytes) return;
    throw plateau::memory_error(what + " need more memory than this machine's " + std::to_string(memory >> 20) +
                                " MiB: " + way_out);
}

/// The options as given, for summary.json.
inline nlohmann::json options_of(CLI::App const& app) {
    nlohmann::json options = nlohmann::json::object();
    for (auto const* option : app.get_options()) {
        if (option->count() > 0)
            options[option->get_name()] = option->results().size() == 1 ? option->results()[0] : "";
    }
    return options;
}

/// What a run took.
struct run_cost {
    plateau::backend::computer by;
    double load_seconds = 0;
    double seconds = 0;  ///< of computing
    index points = 0;    ///< that were computed

    double points_per_second() const { return static_cast<double>(points) / seconds; }
};

/// The keys that every summary has.
inline nlohmann::ordered_json summary_of(CLI::App const& app, common_options const& o, run_cost const& cost) {
    nlohmann::ordered_json summary;
    summary["program"] = app.get_name();
    summary["version"] = PLATEAU_VERSION;
    summary["model"] = o.model;
    summary["dtype"] = o.dtype;
    summary["backend"] = cost.by.backend;
    summary[cost.by.backend == "cpu" ? "instruction_set" : "device"] = cost.by.kind;
    summary["threads"] = cost.by.threads;
    summary["seed"] = o.seed;
    summary["seconds"] = cost.seconds;
    summary["load_seconds"] = cost.load_seconds;
    summary["points_per_second"] = cost.seconds > 0 ? cost.points_per_second() : 0.0;
    summary["options"] = options_of(app);
    return summary;
}

/// The text of summary.json. Doubles have the fewest digits that give back the same bits; NaN and infinities become
/// null.
inline std::string json_text(nlohmann::ordered_json const& summary) {
    return summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// What to say of the weights after the model's name: nothing of stored ones.
inline std::string weights_of(common_options const& o) {
    return o.weights == "stored" ? "" : ", " + o.weights + " weights (seed " + std::to_string(o.seed) + ")";
}

/// The model as pictures name it: by the last part of its path.
inline std::string title_of(common_options const& o) {
    std::filesystem::path const path{o.model};
    return (path.has_filename() ? path : path.parent_path()).filename().string() + weights_of(o);
}

/// Removes what an earlier run left and this one did not write: it would contradict what stands here now.
inline void remove_stale(plateau::output_set const& out, bool written, std::initializer_list<char const*> names) {
    std::error_code ignored;
    for (char const* const name : names) {
        if (!written) std::filesystem::remove(out.directory() / name, ignored);
    }
}

/// Says where the results are, and the picture among them.
inline void print_places(plateau::output_set const& out, [[maybe_unused]] char const* picture) {
    std::cout << "written to " << out.directory().string() << '\n';
#if PLATEAU_HAS_CAIRO
    std::cout << "picture:   " << (out.directory() / picture).string() << '\n';
#endif
}

}  // namespace program
