#pragma once
/// Reads the arrays of an NPZ file. Needs minizip; link it.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <minizip/unzip.h>

#include <plateau/core/error.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/npy.hpp>

namespace plateau::io {

/// Reads arrays by name; stored and deflated entries.
/// @throws file_error: not a zip, damaged (each entry has a checksum), no array of that name, not NPY
class npz_reader {
public:
    explicit npz_reader(std::filesystem::path const& path);

    /// In the order of the file, without ".npy".
    std::vector<std::string> const& names() const { return names_; }
    bool contains(std::string const& name) const {
        return std::find(names_.begin(), names_.end(), name) != names_.end();
    }

    npy_array read(std::string const& name);

    /// @throws file_error also if another element type is stored
    template <class T>
    npy_data<T> read(std::string const& name) {
        return typed<T>(read(name), where(name));
    }

private:
    struct source {
        mapped_file file;
        std::size_t at = 0;
    };
    struct closer {
        void operator()(void* zip) const { ::unzClose(zip); }
    };

    static uLong read_callback(void* self, void*, void* out, uLong bytes) noexcept;
    static long seek_callback(void* self, void*, ZPOS64_T offset, int origin) noexcept;

    std::string where(std::string const& name) const { return source_->file.path().string() + "[" + name + "]"; }
    file_error damaged(std::string const& what) const {
        return file_error(source_->file.path().string() + ": " + what + "; write the file again");
    }

    std::unique_ptr<source> source_;  // the C library keeps its address
    std::unique_ptr<void, closer> zip_;
    std::vector<std::string> names_;
};

inline npz_reader::npz_reader(std::filesystem::path const& path) : source_{new source{mapped_file{path}, 0}} {
    ::zlib_filefunc64_def functions{};
    functions.zopen64_file = [](void* self, void const*, int) { return self; };
    functions.zread_file = read_callback;
    functions.ztell64_file = [](void* self, void*) -> ZPOS64_T { return static_cast<source*>(self)->at; };
    functions.zseek64_file = seek_callback;
    functions.zclose_file = [](void*, void*) { return 0; };
    functions.zerror_file = [](void*, void*) { return 0; };
    functions.opaque = source_.get();
    zip_.reset(::unzOpen2_64("", &functions));
    if (!zip_) throw damaged("not an NPZ file, or cut");
    ::unz_global_info64 global{};
    ::unzGetGlobalInfo64(zip_.get(), &global);
    if (global.number_entry == 0) return;
    int status = ::unzGoToFirstFile(zip_.get());
    for (; status == UNZ_OK; status = ::unzGoToNextFile(zip_.get())) {
        ::unz_file_info64 info{};
        char name[1024];
        if (::unzGetCurrentFileInfo64(zip_.get(), &info, name, sizeof name, nullptr, 0, nullptr, 0) != UNZ_OK ||
            info.size_filename >= sizeof name) {
            throw damaged("the directory of the NPZ file is damaged");
        }
        std::string_view entry{name, info.size_filename};
        if (entry.ends_with(".npy")) names_.emplace_back(entry.substr(0, entry.size() - 4));
    }
    if (status != UNZ_END_OF_LIST_OF_FILE) throw damaged("the directory of the NPZ file is damaged");
}

inline npy_array npz_reader::read(std::string const& name) {
    if (!contains(name)) throw file_error(source_->file.path().string() + ": there is no array \"" + name + "\"");
    if (::unzLocateFile(zip_.get(), (name + ".npy").c_str(), 1) != UNZ_OK ||
        ::unzOpenCurrentFile(zip_.get()) != UNZ_OK) {
        throw damaged("the array \"" + name + "\" cannot be opened");
    }
    std::vector<std::byte> bytes;
    std::vector<std::byte> piece(1 << 20);  // the size that the directory claims is not to be trusted
    int got = 0;
    while ((got = ::unzReadCurrentFile(zip_.get(), piece.data(), static_cast<unsigned>(piece.size()))) > 0) {
        bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
    }
    int const closed = ::unzCloseCurrentFile(zip_.get());
    if (got < 0 || closed != UNZ_OK) throw damaged("the array \"" + name + "\" is damaged");
    return parse_npy(bytes, where(name));
}

inline uLong npz_reader::read_callback(void* self, void*, void* out, uLong bytes) noexcept {
    auto& from = *static_cast<source*>(self);
    auto const all = from.file.bytes();
    auto const count = static_cast<uLong>(std::min<std::size_t>(bytes, all.size() - from.at));
    if (count > 0) std::memcpy(out, all.data() + from.at, count);
    from.at += count;
    return count;
}

inline long npz_reader::seek_callback(void* self, void*, ZPOS64_T offset, int origin) noexcept {
    auto& from = *static_cast<source*>(self);
    std::size_t const size = from.file.bytes().size();
    std::size_t const base = origin == ZLIB_FILEFUNC_SEEK_CUR ? from.at : origin == ZLIB_FILEFUNC_SEEK_END ? size : 0;
    if (offset > size - base) return -1;
    from.at = base + static_cast<std::size_t>(offset);
    return 0;
}

}  // namespace plateau::io
