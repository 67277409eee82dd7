#pragma once
/// Checkpoints of a training: a model at several moments, in folders.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::models {

struct training_checkpoint {
    std::string path;
    std::string name;  ///< the last part of the path
    index step = 0;    ///< of training: the first number in the name, if it has one
};

/// @param place  its step, if the name tells none
inline training_checkpoint checkpoint_at(std::filesystem::path const& path, index place = 0) {
    auto const last = path.has_filename() ? path : path.parent_path();
    training_checkpoint one{path.string(), last.filename().string(), place};
    auto const digit = one.name.find_first_of("0123456789");
    if (digit != std::string::npos)
        std::from_chars(one.name.data() + digit, one.name.data() + one.name.size(), one.step);
    return one;
}

/// The checkpoints that are named: models as `open` takes them; a folder that is no model itself stands for the models
/// in it, in the order of their names. @throws usage_error on a folder without models
inline std::vector<training_checkpoint> training_checkpoints(std::vector<std::string> const& paths) {
    namespace fs = std::filesystem;
    std::vector<training_checkpoint> all;
    std::error_code none;
    for (auto const& path : paths) {
        if (!fs::is_directory(path, none) || fs::exists(fs::path(path) / "config.json", none)) {
            all.push_back(checkpoint_at(path));
            continue;
        }
        std::vector<fs::path> found;
        for (auto const& entry : fs::directory_iterator(path)) {
            if (fs::exists(entry.path() / "config.json", none)) found.push_back(entry.path());
        }
        if (found.empty()) {
            throw usage_error("--checkpoints ", path,
                              ": neither a model nor a folder of models (folders with config.json)");
        }
        std::sort(found.begin(), found.end());
        for (auto const& one : found) all.push_back(checkpoint_at(one));
    }
    return all;
}

/// The checkpoints in the folder `checkpoints` of a model, by their steps. @return none if there is no such folder
inline std::vector<training_checkpoint> checkpoints_beside(std::filesystem::path const& model) {
    std::vector<training_checkpoint> all;
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator(model / "checkpoints", none)) {
        if (entry.is_directory()) all.push_back(checkpoint_at(entry.path()));
    }
    std::ranges::sort(all, {}, [](training_checkpoint const& one) { return std::pair{one.step, one.name}; });
    return all;
}

}  // namespace plateau::models
