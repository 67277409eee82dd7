#pragma once
/// Bodies of core/output_set.hpp.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <unistd.h>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/output_set.hpp>

namespace plateau {

PLATEAU_INLINE output_set::output_set(std::filesystem::path directory) : directory_{std::move(directory)} {
    namespace fs = std::filesystem;
    if (directory_.empty()) directory_ = ".";
    std::error_code problem;
    std::vector<fs::path> missing;  // innermost first
    for (fs::path at = directory_; !at.empty() && !fs::exists(at, problem); at = at.parent_path()) {
        if (!at.filename().empty()) missing.push_back(at);
        if (at == at.parent_path()) break;
    }
    for (auto at = missing.rbegin(); at != missing.rend(); ++at) {
        if (fs::create_directory(*at, problem)) made_.push_back(*at);
        if (problem) {
            remove_made();
            throw file_error("cannot make the directory ", at->string(), ": ", problem.message(),
                             "; choose another --out");
        }
    }
    if (!fs::is_directory(directory_, problem)) {
        throw file_error("the output directory ", directory_.string(), " is a file; choose another --out or remove it");
    }
}

PLATEAU_INLINE output_set::~output_set() {
    files_.clear();
    remove_made();
}

PLATEAU_INLINE atomic_file& output_set::file(std::string const& name) {
    auto target = directory_ / name;
    for (auto const& other : files_) {
        if (other->target() == target) throw file_error("the output ", target.string(), " is written twice");
    }
    return *files_.emplace_back(std::make_unique<atomic_file>(std::move(target)));
}

PLATEAU_INLINE void output_set::commit() {
    for (auto& file : files_) file->close();  // a full disk shows here, before the first rename
    std::size_t published = 0;
    try {
        for (; published < files_.size(); ++published) files_[published]->commit();
    } catch (...) {
        for (std::size_t i = 0; i < published; ++i) withdraw(files_[i]->target());
        throw;
    }
    files_.clear();
    made_.clear();
}

PLATEAU_INLINE void output_set::withdraw(std::filesystem::path const& target) {
    std::error_code ignored;
    if (std::filesystem::is_regular_file(target, ignored)) std::filesystem::remove(target, ignored);
}

PLATEAU_INLINE void output_set::remove_made() noexcept {
    while (!made_.empty()) {
        ::rmdir(made_.back().c_str());  // refuses a directory in which something lies
        made_.pop_back();
    }
}

}  // namespace plateau
