#pragma once
/// Checkpoints: a model at several moments of its training.

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>

namespace plateau::program {

struct checkpoint {
    std::string path;
    std::string name;  ///< the last part of the path
};

/// The last part of a path.
inline std::string checkpoint_name(std::filesystem::path const& path) {
    return (path.has_filename() ? path : path.parent_path()).filename().string();
}

/// The checkpoints that are named: models as --model takes them; a folder that is no model itself stands for the models
/// in it, in the order of their names. @throws usage_error on a folder without models
inline std::vector<checkpoint> checkpoints_of(std::vector<std::string> const& paths) {
    namespace fs = std::filesystem;
    std::vector<checkpoint> all;
    auto const add = [&](fs::path const& path) { all.push_back({path.string(), checkpoint_name(path)}); };
    std::error_code none;
    for (auto const& path : paths) {
        if (!fs::is_directory(path, none) || fs::exists(fs::path(path) / "config.json", none)) {
            add(path);
            continue;
        }
        std::vector<fs::path> found;
        for (auto const& entry : fs::directory_iterator(path)) {
            if (fs::exists(entry.path() / "config.json", none)) found.push_back(entry.path());
        }
        if (found.empty())
            throw usage_error("--checkpoints " + path +
                              ": neither a model nor a folder of models (folders with config.json)");
        std::sort(found.begin(), found.end());
        for (auto const& one : found) add(one);
    }
    return all;
}

}  // namespace plateau::program
