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
#include <plateau/io/model_place.hpp>

namespace plateau::models {

struct training_checkpoint {
    std::string path;
    std::string name;  ///< the last part of the path
    index step = 0;  ///< of training: the number after the last "step" of the name, else its last number, if it has one
};

/// @param place  its step, if the name tells none
inline training_checkpoint checkpoint_at(std::filesystem::path const& path, index place = 0) {
    auto const last = path.has_filename() ? path : path.parent_path();
    training_checkpoint one{path.string(), last.filename().string(), place};
    constexpr char const* digits = "0123456789";
    auto const step = one.name.rfind("step");
    auto digit = step == std::string::npos ? step : one.name.find_first_of(digits, step);
    if (digit == std::string::npos) {  // the last number
        auto const end = one.name.find_last_of(digits);
        if (end == std::string::npos) return one;
        digit = one.name.find_last_not_of(digits, end) + 1;  // npos + 1 is 0
    }
    std::from_chars(one.name.data() + digit, one.name.data() + one.name.size(), one.step);
    return one;
}

namespace detail {

/// The models in a folder, by their steps, then names: folders with config.json; of a folder of the Hugging Face cache
/// its revisions. @return none if there is no such folder
inline std::vector<training_checkpoint> models_in(std::filesystem::path const& folder) {
    std::vector<training_checkpoint> all;
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator(folder, none)) {
        if (std::filesystem::exists(entry.path() / "config.json", none)) all.push_back(checkpoint_at(entry.path()));
    }
    auto const revisions = io::cached_revisions(folder.string());
    if (all.empty() || revisions.size() > 1) {
        all.clear();
        for (auto const& revision : revisions) all.push_back(checkpoint_at(revision));
        // main is another name of one of them
        if (all.size() > 1) std::erase_if(all, [](training_checkpoint const& one) { return one.name == "main"; });
    }
    std::ranges::sort(all, {}, [](training_checkpoint const& one) { return std::pair{one.step, one.name}; });
    return all;
}

}  // namespace detail

/// The checkpoints that are named: models as `open` takes them; a folder that is no model itself stands for the models
/// in it, models--ORG--NAME of the Hugging Face cache for its revisions (refs/step1000, …) but main, in the order of
/// their steps, then names. A name without a number has one step more than
/// the one before it.
/// @throws usage_error on a folder without models
inline std::vector<training_checkpoint> training_checkpoints(std::vector<std::string> const& paths) {
    namespace fs = std::filesystem;
    std::vector<training_checkpoint> all;
    std::error_code none;
    for (auto const& path : paths) {
        if (!fs::is_directory(path, none) || fs::exists(fs::path(path) / "config.json", none)) {
            all.push_back(checkpoint_at(path, all.empty() ? 0 : all.back().step + 1));
            continue;
        }
        auto const found = detail::models_in(path);
        if (found.empty()) {
            throw usage_error("--checkpoints ", path,
                              ": neither a model nor a folder of models (folders with config.json)");
        }
        all.insert(all.end(), found.begin(), found.end());
    }
    return all;
}

/// The checkpoints in the folder `checkpoints` of a model, by their steps. @return none if there is no such folder
inline std::vector<training_checkpoint> checkpoints_beside(std::filesystem::path const& model) {
    return detail::models_in(model / "checkpoints");
}

}  // namespace plateau::models
