#pragma once
/// Bodies of program/long_run/journal.hpp.

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include <sys/vfs.h>

#include <plateau/core/error.hpp>
#include <plateau/program/long_run/journal.hpp>
#include <plateau/program/sha256.hpp>

#if PLATEAU_HAS_SQLITE
#include <sqlite3.h>

namespace plateau::program {

namespace detail {

inline constexpr int journal_mark = 0x706c6a31;  // application_id of SQLite's header: "plj1"

/// Bytes of a row: SQLite's own limit is 10⁹.
inline constexpr std::size_t journal_part = std::size_t{256} << 20;

/// Whether files there are on another machine, where SQLite's write-ahead log does not work.
PLATEAU_PROGRAM_INLINE bool on_network(std::filesystem::path const& folder) {
    constexpr std::array<unsigned, 10> kinds{
        0x6969,      // NFS
        0x517b,      // SMB
        0xff534d42,  // CIFS
        0xfe534d42,  // SMB 2
        0x0bd00bd0,  // Lustre
        0x47504653,  // GPFS
        0x19830326,  // BeeGFS
        0x5346414f,  // AFS
        0x01021997,  // 9P
        0x65735546,  // FUSE: sshfs and others; a local one loses nothing but speed
    };
    struct statfs found {};
    if (::statfs(folder.c_str(), &found) != 0) return false;
    return std::find(kinds.begin(), kinds.end(), static_cast<unsigned>(found.f_type)) != kinds.end();
}

/// Whether a file begins as SQLite's do, as far as it goes: SQLite itself takes any file of a few bytes for an empty
/// one.
PLATEAU_PROGRAM_INLINE bool begins_like_sqlite(std::filesystem::path const& path) {
    std::string_view const magic = "SQLite format 3";
    std::array<char, 15> start{};
    std::ifstream from{path, std::ios::binary};
    from.read(start.data(), std::ssize(start));
    return magic.starts_with(std::string_view{start.data(), static_cast<std::size_t>(from.gcount())});
}

PLATEAU_PROGRAM_INLINE std::string sha256_of_chunk(chunk_place const& where, std::span<std::byte const> content) {
    sha256 all;
    auto const place = concat({where.sweep, " ", where.first, " ", where.count, "\n"});
    all.add(std::as_bytes(std::span{place}));
    all.add(content);
    return all.hex();
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE journal::journal(std::filesystem::path path, opening how,
                                        std::function<void(std::string const&)> const& notice)
    : path_{std::move(path)} {
    std::error_code ignored;
    bool const there = std::filesystem::exists(path_, ignored);
    if (how == opening::fresh && there)
        throw usage_error("--journal ", path_.string(), ": the file exists. Go on from it with --resume ",
                          path_.string(), ", or name another one");
    if (how == opening::resumed && !there)
        throw usage_error("--resume ", path_.string(), ": there is no such file. Begin with --journal ",
                          path_.string());
    auto const folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
    if (!std::filesystem::is_directory(folder, ignored))
        throw file_error("the journal ", path_.string(), " cannot be made: there is no folder ", folder.string());
    if (there && !std::filesystem::is_regular_file(path_, ignored))
        throw file_error(path_.string(), " is no file, so it is no journal");
    if (there && !detail::begins_like_sqlite(path_)) fail(SQLITE_NOTADB);

    struct closer {
        sqlite3*& of;
        bool keep = false;
        ~closer() {
            if (!keep) sqlite3_close(std::exchange(of, nullptr));
        }
    } opened{file_};
    int const code = sqlite3_open_v2(path_.c_str(), &file_,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (code != SQLITE_OK) fail(code);
    if (sqlite3_db_readonly(file_, "main") == 1) fail(SQLITE_READONLY);
    sqlite3_extended_result_codes(file_, 1);
    // exclusive before the log is opened: its index is then in this process' memory, and no second process comes in
    execute("PRAGMA locking_mode=EXCLUSIVE");
    bool empty = false;
    {  // before anything is written: another's file stays as it is
        auto const mark = prepare("PRAGMA application_id"), tables = prepare("SELECT count(*) FROM sqlite_master");
        step(mark), step(tables);
        empty = sqlite3_column_int(tables.get(), 0) == 0;
        if (!empty && sqlite3_column_int(mark.get(), 0) != detail::journal_mark)
            throw file_error(path_.string(), " is an SQLite file, but no journal of a run");
    }
    if (detail::on_network(folder)) {
        notice("the journal " + path_.string() +
               " is on a network file system: it is written with a rollback journal, which is slower than a log");
        execute("PRAGMA journal_mode=DELETE");
    } else {
        execute("PRAGMA journal_mode=WAL");
    }
    execute("PRAGMA synchronous=FULL");
    execute("BEGIN IMMEDIATE");
    if (empty) {
        execute("PRAGMA application_id=1886153265");
        execute("CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID");
        execute(
            "CREATE TABLE chunks (sweep INTEGER, first INTEGER, count INTEGER NOT NULL, sha256 TEXT NOT NULL, "
            "PRIMARY KEY (sweep, first))");
        execute(
            "CREATE TABLE parts (sweep INTEGER, first INTEGER, part INTEGER, content BLOB NOT NULL, "
            "PRIMARY KEY (sweep, first, part))");
    } else {
        auto const chunks = prepare("SELECT count(*) FROM chunks");
        step(chunks);
        begun_ = sqlite3_column_int64(chunks.get(), 0) > 0;
        if (!begun_) execute("DELETE FROM run");  // it starts anew
    }
    execute("COMMIT");
    opened.keep = true;
}

PLATEAU_PROGRAM_INLINE journal::~journal() { sqlite3_close(file_); }

PLATEAU_PROGRAM_INLINE void journal::fail(int code) const {
    auto const name = path_.string();
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw file_error("another process has the journal ", name,
                             " open: wait until it has ended, or give this run a journal of its own");
        case SQLITE_FULL:
            throw file_error("the disk of the journal ", name,
                             " is full. What it holds is safe: make room, and go on with --resume ", name);
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
            throw file_error("the journal ", name,
                             " cannot be written: it and its folder have to be writable. What it holds is safe");
        case SQLITE_NOTADB: throw file_error(name, " is no journal of a run");
        case SQLITE_CORRUPT:
            throw file_error(
                "the journal ", name,
                " is damaged. Nothing was written from it: take it from a copy, or begin anew with --journal "
                "and another name");
        default:
            throw file_error("the journal ", name, " cannot be used: ",
                             std::string(file_ != nullptr ? sqlite3_errmsg(file_) : sqlite3_errstr(code)),
                             ". What it holds is safe; go on with --resume ", name);
    }
}

PLATEAU_PROGRAM_INLINE journal::statement journal::prepare(char const* sql) const {
    sqlite3_stmt* made = nullptr;
    int const code = sqlite3_prepare_v2(file_, sql, -1, &made, nullptr);
    if (code != SQLITE_OK) fail(code);
    return {made, [](sqlite3_stmt* one) { sqlite3_finalize(one); }};
}

PLATEAU_PROGRAM_INLINE bool journal::step(statement const& one) const {
    int const code = sqlite3_step(one.get());
    if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code);
    return code == SQLITE_ROW;
}

PLATEAU_PROGRAM_INLINE void journal::execute(char const* sql) const {
    int const code = sqlite3_exec(file_, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) fail(code);
}

namespace detail {

PLATEAU_PROGRAM_INLINE void bind(sqlite3_stmt* to, int at, index number) { sqlite3_bind_int64(to, at, number); }
PLATEAU_PROGRAM_INLINE void bind(sqlite3_stmt* to, int at, std::string const& text) {
    sqlite3_bind_text64(to, at, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}
PLATEAU_PROGRAM_INLINE std::string text_of(sqlite3_stmt* row, int column) {
    auto const* const text = reinterpret_cast<char const*>(sqlite3_column_text(row, column));
    return text == nullptr ? "" : text;
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE void journal::require(std::string const& name, std::string const& value, bool from_start) {
    auto const known = prepare("SELECT value FROM run WHERE name = ?");
    detail::bind(known.get(), 1, name);
    if (!step(known)) {
        if (begun_ && from_start)
            throw usage_error("the journal ", path_.string(), " is of another run, which had no ", name,
                              "; this one's is '", value,
                              "'. Resume with the command that began it, or begin anew with another --journal");
        auto const put = prepare("INSERT INTO run VALUES (?, ?)");
        detail::bind(put.get(), 1, name), detail::bind(put.get(), 2, value);
        step(put);
        return;
    }
    auto const had = detail::text_of(known.get(), 0);
    if (had == value) return;
    throw usage_error("the journal ", path_.string(), " is of another run: its ", name, " is '", had, "', this one's '",
                      value, "'. Resume with the command that began it, or begin anew with another --journal");
}

PLATEAU_PROGRAM_INLINE void journal::require_only(std::string const& prefix,
                                                  std::vector<std::string> const& names) const {
    auto const all = prepare("SELECT name, value FROM run");
    while (step(all)) {
        auto const name = detail::text_of(all.get(), 0);
        if (!name.starts_with(prefix) || std::find(names.begin(), names.end(), name) != names.end()) continue;
        throw usage_error("the journal ", path_.string(), " is of another run: its ", name, " is '",
                          detail::text_of(all.get(), 1),
                          "', which was not given. Resume with the command that began it, or begin anew with another "
                          "--journal");
    }
}

PLATEAU_PROGRAM_INLINE std::vector<chunk_place> journal::chunks(index sweep) {
    std::vector<chunk_place> all;
    {
        auto const rows = prepare("SELECT first, count FROM chunks WHERE sweep = ? ORDER BY first");
        detail::bind(rows.get(), 1, sweep);
        while (step(rows))
            all.push_back({sweep, sqlite3_column_int64(rows.get(), 0), sqlite3_column_int64(rows.get(), 1)});
    }
    for (auto const& one : all) read(one);  // before anything goes on from them
    return all;
}

PLATEAU_PROGRAM_INLINE void journal::add(chunk_place const& where, std::span<std::byte const> content) {
    execute("BEGIN IMMEDIATE");
    try {
        auto const put = prepare("INSERT INTO chunks VALUES (?, ?, ?, ?)");
        detail::bind(put.get(), 1, where.sweep), detail::bind(put.get(), 2, where.first);
        detail::bind(put.get(), 3, where.count), detail::bind(put.get(), 4, detail::sha256_of_chunk(where, content));
        step(put);
        auto const part = prepare("INSERT INTO parts VALUES (?, ?, ?, ?)");
        index number = 0;
        do {
            auto const here = content.first(std::min(content.size(), detail::journal_part));
            content = content.subspan(here.size());
            detail::bind(part.get(), 1, where.sweep), detail::bind(part.get(), 2, where.first);
            detail::bind(part.get(), 3, number++);
            sqlite3_bind_blob64(part.get(), 4, here.empty() ? "" : static_cast<void const*>(here.data()), here.size(),
                                SQLITE_STATIC);
            step(part);
            sqlite3_reset(part.get());
        } while (!content.empty());
        execute("COMMIT");
    } catch (...) {
        sqlite3_exec(file_, "ROLLBACK", nullptr, nullptr, nullptr);
        throw;
    }
}

PLATEAU_PROGRAM_INLINE std::vector<std::byte> journal::read(chunk_place const& where) {
    std::vector<std::byte> content;
    auto const parts = prepare("SELECT content FROM parts WHERE sweep = ? AND first = ? ORDER BY part");
    detail::bind(parts.get(), 1, where.sweep), detail::bind(parts.get(), 2, where.first);
    while (step(parts)) {
        auto const* const from = static_cast<std::byte const*>(sqlite3_column_blob(parts.get(), 0));
        content.insert(content.end(), from, from + sqlite3_column_bytes(parts.get(), 0));
    }
    auto const hash = prepare("SELECT sha256 FROM chunks WHERE sweep = ? AND first = ?");
    detail::bind(hash.get(), 1, where.sweep), detail::bind(hash.get(), 2, where.first);
    if (step(hash) && detail::text_of(hash.get(), 0) == detail::sha256_of_chunk(where, content)) return content;
    throw file_error("the journal ", path_.string(), " is damaged: its chunk ", where.first, " to ",
                     where.first + where.count - 1, " of sweep ", where.sweep + 1,
                     " is not what was stored. Nothing was written from it: take it from a copy, or begin anew with "
                     "--journal and another name");
}

}  // namespace plateau::program

#else

namespace plateau::program {

PLATEAU_PROGRAM_INLINE journal::journal(std::filesystem::path path, opening,
                                        std::function<void(std::string const&)> const&)
    : path_{std::move(path)} {
    throw file_error("the journal ", path_.string(),
                     " cannot be kept: this build has no SQLite. Install it (Debian: libsqlite3-dev) and build again");
}
PLATEAU_PROGRAM_INLINE journal::~journal() = default;
PLATEAU_PROGRAM_INLINE void journal::require(std::string const&, std::string const&, bool) {}
PLATEAU_PROGRAM_INLINE void journal::require_only(std::string const&, std::vector<std::string> const&) const {}
PLATEAU_PROGRAM_INLINE std::vector<chunk_place> journal::chunks(index) { return {}; }
PLATEAU_PROGRAM_INLINE void journal::add(chunk_place const&, std::span<std::byte const>) {}
PLATEAU_PROGRAM_INLINE std::vector<std::byte> journal::read(chunk_place const&) { return {}; }

}  // namespace plateau::program

#endif
