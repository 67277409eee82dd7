#pragma once
/// Checkpoints of a training, as a study's options name them.

#include <string>
#include <vector>

#include <plateau/models/checkpoints.hpp>
#include <plateau/program/options.hpp>

namespace plateau::program {

struct checkpoint_options {
    std::vector<std::string> checkpoints;
    index final_step = 1099;  ///< of the embedded model
};

inline void add_checkpoint_options(CLI::App& app, checkpoint_options& o) {
    app.add_option("--checkpoints", o.checkpoints,
                   "models in the order of training, separated by commas; by default the folders in "
                   "MODEL/checkpoints, by step, and MODEL itself. They take the first one's tokens")
        ->delimiter(',');
    add_option(app, "--final-step", o.final_step, "training steps of MODEL itself, after its checkpoints");
}

/// Those given; else those beside the model, in folders checkpoints/*, and then the model itself.
/// @throws usage_error if there are none
inline std::vector<models::training_checkpoint> checkpoints_of(checkpoint_options const& o, std::string const& model) {
    std::vector<models::training_checkpoint> all;
    for (auto const& path : o.checkpoints) all.push_back(models::checkpoint_at(path, static_cast<index>(all.size())));
    if (!all.empty()) return all;
    all = models::checkpoints_beside(model);
    if (all.empty()) {
        throw usage_error("--model ", model,
                          " has no folder 'checkpoints' with models in it: name them as --checkpoints A,B,...");
    }
    all.push_back(models::checkpoint_at(model));
    all.back().step = o.final_step;
    return all;
}

}  // namespace plateau::program
