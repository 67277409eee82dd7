#pragma once
/// The journal of a long run: finished chunks in an SQLite file, from which any end of the process is resumed.

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/program/compiled.hpp>

struct sqlite3;
struct sqlite3_stmt;

namespace plateau::program {

/// Whether this build has SQLite, without which there are no journals.
#ifndef PLATEAU_HAS_SQLITE
#define PLATEAU_HAS_SQLITE 0
#endif

/// Chunks of the things [first, first + count) of the run's sweeps, numbered from 0.
struct chunk_place {
    index sweep = 0, first = 0, count = 0;
    auto operator<=>(chunk_place const&) const = default;
};

/// One transaction per chunk, each with its SHA-256. The file is this process' alone as long as the object lives.
class journal {
public:
    enum class opening { fresh, resumed };

    /// @param notice  told what a user should know, a line each
    /// @throws usage_error if a fresh one exists already, a resumed one does not; file_error if it is another file,
    ///         another process has it, it cannot be written, or this build has no SQLite
    journal(std::filesystem::path path, opening how, std::function<void(std::string const&)> const& notice);
    ~journal();
    journal(journal const&) = delete;
    journal& operator=(journal const&) = delete;

    std::filesystem::path const& path() const { return path_; }

    /// What a resumed run has to have in common with the one that began the journal. Of one without chunks nothing.
    /// @param from_start  a run says it before its first chunk: where that is there, a name that is not is another
    /// run's
    /// @throws usage_error that says how they differ
    void require(std::string const& name, std::string const& value, bool from_start = false);
    /// That all options that have been given so far are those of `names`: none of the journal's is missing.
    void require_only(std::string const& prefix, std::vector<std::string> const& names) const;

    /// The finished chunks of a sweep, in order. @throws file_error if one is not what was stored
    std::vector<chunk_place> chunks(index sweep);

    /// @throws file_error where the file does not take it, with nothing of it stored
    void add(chunk_place const& where, std::span<std::byte const> content);

    /// @throws file_error if a chunk is not what was stored
    std::vector<std::byte> read(chunk_place const& where);

private:
    using statement = std::unique_ptr<sqlite3_stmt, void (*)(sqlite3_stmt*)>;
    statement prepare(char const* sql) const;
    void execute(char const* sql) const;
    /// @throws file_error unless it is row or done      @return whether there is a row
    bool step(statement const& one) const;
    [[noreturn]] void fail(int code) const;

    std::filesystem::path path_;
    sqlite3* file_ = nullptr;
    bool begun_ = false;  ///< it had chunks when it was opened
};

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/journal.ipp>
#endif
