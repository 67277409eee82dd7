#pragma once
/// Reads the arrays of an NPZ file. Needs zlib; link it.

#if !__has_include(<zlib.h>)
#error "plateau/io/npz_reader.hpp needs zlib (Debian: zlib1g-dev, link z)"
#endif

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/zip_directory.hpp>

namespace plateau::io {

/// Reads arrays by name; stored and deflated entries, each checked against its checksum.
/// @throws file_error: not a zip, damaged, no array of that name, not NPY
class npz_reader {
public:
    explicit npz_reader(std::filesystem::path const& path)
        : file_{path}, entries_{read_zip_directory(file_.bytes(), path.string())} {}

    /// In the order of the file, without ".npy".
    std::vector<std::string> names() const;

    bool contains(std::string const& name) const { return find(name) != nullptr; }

    npy_array read(std::string const& name) const;

    /// @throws file_error also if another element type is stored
    template <class T>
    npy_data<T> read(std::string const& name) const {
        return typed<T>(read(name), where(name));
    }

private:
    static constexpr std::string_view suffix = ".npy";

    zip_entry const* find(std::string const& name) const;
    std::string where(std::string const& name) const;

    mapped_file file_;
    std::vector<zip_entry> entries_;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/npz_reader.ipp>
#endif
