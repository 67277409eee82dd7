#pragma once
/// Checkpoints of a training: a model at several moments, in folders.

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
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
    bool told = false;        ///< whether the name tells it
    std::string notice = {};  ///< what else than that number the name may mean, a line with its end; else empty
};

namespace detail {

/// Whether the number [first, last) of a name is a part of another one: 1k, 1,000, 1.5, 1e3.
inline bool part_of_number(std::string_view name, std::size_t first, std::size_t last) {
    auto const at = [&](std::size_t i) { return i < name.size() ? name[i] : ' '; };  // before the first too
    auto const is_digit = [](char c) { return c >= '0' && c <= '9'; };
    auto const is_letter = [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; };
    auto const joins = [](char c) { return c == ',' || c == '.' || c == 'e' || c == 'E'; };
    if (joins(at(last)) && is_digit(at(last + 1))) return true;
    if (joins(at(first - 1)) && is_digit(at(first - 2))) return true;
    return std::string_view{"kKmMbBtT"}.find(at(last)) != std::string_view::npos && !is_letter(at(last + 1));
}

}  // namespace detail

/// @param place  its step, if the name tells none, or one beyond 10^18
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
    auto const end = std::min(one.name.find_first_not_of(digits, digit), one.name.size());
    index read = 0;
    auto const result = std::from_chars(one.name.data() + digit, one.name.data() + end, read);
    one.told = result.ec == std::errc{} && read <= 1'000'000'000'000'000'000;
    if (one.told) one.step = read;
    if (!one.told) {
        one.notice =
            concat({"the step in the name of ", one.path, " is too large: one more than the step before is taken\n"});
    } else if (detail::part_of_number(one.name, digit, end)) {
        one.notice = concat({"the step of ", one.path, " is read as ", read,
                             ", the digits alone: write it in digits, as step-1000, if it is another\n"});
    }
    return one;
}

namespace detail {

/// The models in a folder, by their steps, then names, those without a number last: folders with config.json; of a
/// folder of the Hugging Face cache its revisions. @return none if there is no such folder
/// @throws file_error on a folder of weights without config.json, as an unfinished download leaves it
inline std::vector<training_checkpoint> models_in(std::filesystem::path const& folder) {
    std::vector<training_checkpoint> all;
    std::error_code none;
    for (auto const& entry : std::filesystem::directory_iterator(folder, none)) {
        if (std::filesystem::exists(entry.path() / "config.json", none)) {
            all.push_back(checkpoint_at(entry.path()));
            continue;
        }
        for (auto const* const part : {"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"}) {
            if (!std::filesystem::exists(entry.path() / part, none)) continue;
            throw file_error(entry.path().string(), ": there is ", part,
                             ", but no config.json: fetch it, or take the folder away from the other checkpoints");
        }
    }
    auto const revisions = io::cached_revisions(folder.string());
    if (all.empty() || revisions.size() > 1) {
        all.clear();
        for (auto const& revision : revisions) all.push_back(checkpoint_at(revision));
        // main is another name of one of them
        if (all.size() > 1) std::erase_if(all, [](training_checkpoint const& one) { return one.name == "main"; });
    }
    std::ranges::sort(all, {}, [](training_checkpoint const& one) {
        return std::tuple{!one.told, one.step, std::string_view{one.name}};
    });
    for (std::size_t k = 1; k < all.size(); ++k) {
        if (!all[k].told) all[k].step = all[k - 1].step + 1;
    }
    return all;
}

/// Those of the models in a folder whose names tell a step of training: checkpoint-N, step-N.
inline std::vector<training_checkpoint> checkpoints_inside(std::filesystem::path const& model) {
    auto all = models_in(model);
    std::erase_if(all, [](training_checkpoint const& one) {
        return !one.told || (!one.name.starts_with("checkpoint") && one.name.find("step") == std::string::npos);
    });
    return all;
}

}  // namespace detail

/// The checkpoints that are named: models as `open` takes them; a folder that is no model itself stands for the models
/// in it, models--ORG--NAME of the Hugging Face cache for its revisions (refs/step1000, …) but main, in the order of
/// their steps, then names; a model alone that has checkpoint-N or step-N folders in it, as trainers write them, for
/// those and then itself. A name without a number has one step more than the one before it, and stands last in a
/// folder.
/// @throws usage_error on a folder without models; file_error on one with weights, but no config.json
inline std::vector<training_checkpoint> training_checkpoints(std::vector<std::string> const& paths) {
    namespace fs = std::filesystem;
    std::vector<training_checkpoint> all;
    std::error_code none;
    for (auto const& path : paths) {
        if (!fs::is_directory(path, none) || fs::exists(fs::path(path) / "config.json", none)) {
            if (paths.size() == 1) all = detail::checkpoints_inside(path);
            all.push_back(checkpoint_at(path, all.empty() ? 0 : all.back().step + 1));
            if (all.size() > 1 && paths.size() == 1) all.back().step = all[all.size() - 2].step + 1;
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
