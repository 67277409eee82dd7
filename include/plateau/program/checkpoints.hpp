#pragma once
/// Checkpoints of a training, as a study's options name them.

#include <cstddef>
#include <iostream>
#include <string>
#include <vector>

#include <plateau/models/checkpoints.hpp>
#include <plateau/program/options.hpp>

namespace plateau::program {

struct checkpoint_options {
    std::vector<std::string> checkpoints;
    index final_step = 1099;  ///< of the embedded model
};

inline void add_checkpoint_options(command_line& app, checkpoint_options& o) {
    app.add_option("--checkpoints", &o.checkpoints,
                   "models in the order of training, or folders of models, separated by commas; by default those in "
                   "MODEL/checkpoints, by step, and MODEL itself. They take the first one's tokens")
        .with_commas();
    add_option(app, "--final-step", &o.final_step, "training steps of MODEL itself, after its checkpoints");
}

/// Writes to stderr how the first step was read whose name may mean another, and how many more there are.
inline void tell_steps(std::vector<models::training_checkpoint> const& all) {
    std::size_t unsure = 0;
    for (auto const& one : all) {
        if (!one.notice.empty() && unsure++ == 0) std::cerr << one.notice;
    }
    if (unsure > 1) std::cerr << "and so the steps of " << unsure - 1 << " more\n";
}

/// Those that a study's option lists. @throws usage_error on a folder without models
inline std::vector<models::training_checkpoint> listed_checkpoints(std::vector<std::string> const& paths) {
    auto all = models::training_checkpoints(paths);
    tell_steps(all);
    return all;
}

/// Those given; else those beside the model, in folders checkpoints/*, and then the model itself.
/// @throws usage_error if there are none
inline std::vector<models::training_checkpoint> checkpoints_of(checkpoint_options const& o, std::string const& model) {
    if (o.final_step < 0) throw usage_error("--final-step counts from 0, got ", o.final_step);
    auto all = o.checkpoints.empty() ? models::checkpoints_beside(model) : models::training_checkpoints(o.checkpoints);
    tell_steps(all);
    for (std::size_t k = 1; k < all.size(); ++k) {
        if (all[k].step > all[k - 1].step) continue;
        std::cerr << "the checkpoints are not in the order of their steps: " << all[k].name << " (step " << all[k].step
                  << ") follows " << all[k - 1].name << " (step " << all[k - 1].step << ")\n";
        break;
    }
    if (!o.checkpoints.empty()) return all;
    if (all.empty()) {
        throw usage_error("--model ", model,
                          " has no folder 'checkpoints' with models in it: name them as --checkpoints A,B,...");
    }
    all.push_back(models::checkpoint_at(model));
    all.back().step = o.final_step;
    return all;
}

}  // namespace plateau::program
