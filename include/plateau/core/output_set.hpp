#pragma once
/// Several output files that are published together at the end, or not at all.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/macros.hpp>

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
    explicit output_set(std::filesystem::path directory);
    ~output_set();
    output_set(output_set const&) = delete;
    output_set& operator=(output_set const&) = delete;

    std::filesystem::path const& directory() const { return directory_; }

    /// A new output; the reference stays valid as long as the set.
    /// @throws file_error if the name was given before or cannot be created
    atomic_file& file(std::string const& name);

    /// Publishes every file. @throws file_error, with none of them published
    void commit();

private:
    static void withdraw(std::filesystem::path const& target);
    void remove_made() noexcept;

    std::filesystem::path directory_;
    std::vector<std::filesystem::path> made_;  // outermost first
    std::vector<std::unique_ptr<atomic_file>> files_;
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/output_set.ipp>
#endif
