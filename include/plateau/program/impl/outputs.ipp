#pragma once
/// Bodies of program/outputs.hpp.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <filesystem>
#include <ranges>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/types.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/program/manifest.hpp>
#include <plateau/program/outputs.hpp>
#include <plateau/viz/canvas.hpp>

namespace plateau::program {

PLATEAU_PROGRAM_INLINE void outputs::axis(std::string const& letter, index extent) {
    auto const [at, is_new] = extents_.try_emplace(letter, extent);
    require(is_new || at->second == extent, "the axis " + letter + " has two lengths");
}

PLATEAU_PROGRAM_INLINE void outputs::axis(std::string const& letter, std::vector<double> const& places) {
    axis(letter, std::ssize(places));
    if (page_) page_->place_axis(letter, places);
}

PLATEAU_PROGRAM_INLINE void outputs::axis(std::string const& letter, std::vector<std::string> const& names) {
    axis(letter, std::ssize(names));
    if (page_) page_->name_axis(letter, names);
}

PLATEAU_PROGRAM_INLINE void outputs::begin_page() {
    report::require_built();
    page_ = std::make_unique<report::page>();
}

PLATEAU_PROGRAM_INLINE bool outputs::tells(std::string const& name) const {
    return std::ranges::any_of(leaves_.files, [&](file const& one) { return has_name(one, name); });
}

PLATEAU_PROGRAM_INLINE atomic_file& outputs::open(std::string const& name) {
    find(name);
    written_.insert(name);
    return set_.file(name);
}

PLATEAU_PROGRAM_INLINE void outputs::publish(nlohmann::ordered_json summary, nlohmann::ordered_json const& own) {
    for (auto const& [key, value] : own.items()) {
        require(tells_key(key), "summary.json has the key " + key + ", which the manifest does not tell");
        summary[key] = value;
    }
    auto const handler = nlohmann::ordered_json::error_handler_t::replace;
    set_.file("summary.json").write(summary.dump(2, ' ', false, handler) + "\n");
    if (page_) open(report::page_file.name).write(page_->render(summary, leaves_, written_));
    for (auto const& one : leaves_.files) {
        bool const is_picture = one.name.ends_with("png");
        require(!one.when.empty() || (is_picture && !viz::can_draw) || written_.contains(one.name),
                one.name + " was not written");
    }
    set_.commit();
    remove_stale();
}

PLATEAU_PROGRAM_INLINE file const& outputs::find(std::string const& name) const {
    auto const at = std::ranges::find_if(leaves_.files, [&](file const& one) { return has_name(one, name); });
    require(at != leaves_.files.end(), "it does not tell " + name);
    return *at;
}

PLATEAU_PROGRAM_INLINE std::vector<index> outputs::shape_of(file const& told) const {
    std::vector<index> shape;
    for (auto const& axis : axes_of(told)) {
        bool const number = axis.find_first_not_of("0123456789") == std::string::npos;
        auto const at = extents_.find(axis);
        require(number || at != extents_.end(), "nobody said how long the axis " + axis + " of " + told.name + " is");
        index const extent = number ? std::stol(axis) : at->second;
        if (extent != absent) shape.push_back(extent);
    }
    return shape;
}

PLATEAU_PROGRAM_INLINE bool outputs::tells_key(std::string const& key) const {
    auto const word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    auto const& text = leaves_.summary;
    for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1)) {
        std::size_t const end = at + key.size();
        if ((at == 0 || !word(text[at - 1])) && (end == text.size() || !word(text[end]))) return true;
    }
    return false;
}

PLATEAU_PROGRAM_INLINE void outputs::remove_stale() const {
    std::error_code ignored;
    for (auto const& entry : std::filesystem::directory_iterator(folder(), ignored)) {
        auto const name = entry.path().filename().string();
        bool const ours = std::ranges::any_of(leaves_.files, [&](file const& one) { return has_name(one, name); });
        if (ours && !written_.contains(name)) std::filesystem::remove(entry.path(), ignored);
    }
}

}  // namespace plateau::program
