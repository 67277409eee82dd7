#pragma once
/// Several output files that are published together at the end, or not at all.

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <unistd.h>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/error.hpp>

namespace plateau {

/// The outputs of a program run in one directory. Until `commit` nothing stands under a final name; if
/// that fails half-way, the files already published are withdrawn. Without `commit` the destructor
/// removes all temporaries, and the directories that the set made.
///     output_set out{"results"};
///     out.file("a.npy").write(bytes);
///     out.commit();
class output_set {
public:
    /// Makes the directory, and its parents, where missing.
    /// @throws file_error if the path is a file or the directory cannot be made
    explicit output_set(std::filesystem::path directory) : directory_{std::move(directory)} {
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
            throw file_error("the output directory ", directory_.string(),
                             " is a file; choose another --out or remove it");
        }
    }

    ~output_set() {
        files_.clear();
        remove_made();
    }
    output_set(output_set const&) = delete;
    output_set& operator=(output_set const&) = delete;

    std::filesystem::path const& directory() const { return directory_; }

    /// A new output; the reference stays valid as long as the set.
    /// @throws file_error if the name was given before or cannot be created
    atomic_file& file(std::string const& name) {
        auto target = directory_ / name;
        for (auto const& other : files_) {
            if (other->target() == target) throw file_error("the output ", target.string(), " is written twice");
        }
        return *files_.emplace_back(std::make_unique<atomic_file>(std::move(target)));
    }

    /// Publishes every file. @throws file_error, with none of them published
    void commit() {
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

private:
    static void withdraw(std::filesystem::path const& target) {
        std::error_code ignored;
        if (std::filesystem::is_regular_file(target, ignored)) std::filesystem::remove(target, ignored);
    }

    void remove_made() noexcept {
        while (!made_.empty()) {
            ::rmdir(made_.back().c_str());  // refuses a directory in which something lies
            made_.pop_back();
        }
    }

    std::filesystem::path directory_;
    std::vector<std::filesystem::path> made_;  // outermost first
    std::vector<std::unique_ptr<atomic_file>> files_;
};

}  // namespace plateau
