#pragma once
/// Bodies of io/stored_weights.hpp.

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/stored_weights.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

namespace detail {

PLATEAU_INLINE std::string spelling_of(tensor_info const& info, std::vector<index> const& shape) {
    std::string text = concat({info.name, " ", info.stored, " "});
    for (std::size_t axis = 0; axis < shape.size(); ++axis) text += concat({axis > 0 ? "x" : "", shape[axis]});
    return text;
}

}  // namespace detail

PLATEAU_INLINE stored_weights::stored_weights(std::filesystem::path const& given) {
    std::filesystem::path const path{resolve_model(given.string()).path};
    if (std::filesystem::is_directory(path)) {
        folder_.emplace(path);
        for (auto const& name : folder_->names()) {
            auto const& info = folder_->info(name);
            tensors_.push_back({detail::spelling_of(info, info.shape), folder_->bytes(name), folder_->is_mapped(name)});
        }
    } else {
        file_.emplace(path);
        for (auto const& name : file_->names()) {
            auto const& info = file_->info(name);
            tensors_.push_back(
                {detail::spelling_of(info, {info.shape.rbegin(), info.shape.rend()}), file_->bytes(name), true});
        }
    }
}

}  // namespace plateau::io
