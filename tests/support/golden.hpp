#pragma once
/// The committed reference tensors under tests/golden/models/NAME (see make_models.py there).

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <plateau/engine/prompts.hpp>
#include <plateau/io/npy.hpp>

#include "support/baked.hpp"

namespace golden {

inline std::filesystem::path models_folder() { return std::filesystem::path(baked::tests) / "golden" / "models"; }

/// Every folder there.
inline std::vector<std::string> model_names() {
    std::vector<std::string> names;
    for (auto const& entry : std::filesystem::directory_iterator(models_folder()))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

/// Prompts of an NPY file [N,T]; `lengths` cuts them.
inline plateau::prompt_list prompts(std::filesystem::path const& file,
                                    std::vector<plateau::index> const& lengths = {}) {
    auto const tokens = plateau::io::integers(plateau::io::read_npy(file), file.string());
    plateau::prompt_list all;
    for (plateau::index i = 0; i < tokens.shape.at(0); ++i) {
        auto const length = lengths.empty() ? tokens.shape.at(1) : lengths.at(static_cast<std::size_t>(i));
        auto& prompt = all.emplace_back();
        for (plateau::index t = 0; t < length; ++t) {
            prompt.push_back(
                static_cast<plateau::token_id>(tokens.values[static_cast<std::size_t>(i * tokens.shape.at(1) + t)]));
        }
    }
    return all;
}

/// Every expected tensor of a model, by site name.
inline std::map<std::string, plateau::io::npy_data<double>> expected(std::string const& model) {
    std::map<std::string, plateau::io::npy_data<double>> all;
    for (auto const& entry : std::filesystem::directory_iterator(models_folder() / model / "expected")) {
        all.emplace(entry.path().stem().string(), plateau::io::read_npy<double>(entry.path()));
    }
    return all;
}

}  // namespace golden
