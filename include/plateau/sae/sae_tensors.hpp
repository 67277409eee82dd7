#pragma once
/// Tensors of a sparse autoencoder by name, from a safetensors, NPZ or torch.save file.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/safetensors_file.hpp>

#if (!defined(PLATEAU_HAS_ZLIB) || PLATEAU_HAS_ZLIB) && __has_include(<zlib.h>)
#include <plateau/io/npz_reader.hpp>
#define PLATEAU_READS_NPZ 1
#else
#define PLATEAU_READS_NPZ 0
#endif

namespace plateau::sae {

/// One file of tensors. What the formats have in common: shapes, rows as floats, and messages that name file and
/// tensor. For one thread at a time.
class sae_tensors {
public:
    /// @param told_by  what the shapes have to fit, for messages
    /// @throws file_error: as safetensors_file and npz_reader; a pickle of torch, with the command that converts it
    sae_tensors(std::filesystem::path path, std::string told_by)
        : path_{std::move(path)}, told_by_{std::move(told_by)} {
        auto const kind = path_.extension();
        if (kind == ".pt") {
            io::mapped_file const file{path_};
            if (!file.text().starts_with("PK\3\4") && !file.text().starts_with('\x80'))
                throw file_error(path_.string(), ": not a file of torch.save: it is cut or damaged; download it again");
        }
        if (kind != ".npz") {
            file_.emplace(path_);
            return;
        }
#if PLATEAU_READS_NPZ
        npz_.emplace(path_);
#else
        throw file_error(path_.string(), ": this build has no zlib, which NPZ files need: install zlib1g-dev");
#endif
    }

    std::filesystem::path const& path() const { return path_; }

    bool contains(std::string const& name) const {
#if PLATEAU_READS_NPZ
        if (npz_) return npz_->contains(name);
#endif
        return file_->contains(name);
    }

    std::vector<std::string> names() const {
#if PLATEAU_READS_NPZ
        if (npz_) return npz_->names();
#endif
        return file_->names();
    }

    /// A scalar int32 or int64 of a safetensors file; or nothing.
    std::optional<index> integer(std::string const& name) const {
        if (!file_ || !contains(name) || !shape(name).empty()) return {};
        auto const bytes = file_->bytes(name);
        auto const& stored = file_->info(name).stored;
        std::int32_t narrow{};
        std::int64_t wide{};
        if (stored == "I32") std::memcpy(&narrow, bytes.data(), sizeof narrow), wide = narrow;
        else if (stored == "I64") std::memcpy(&wide, bytes.data(), sizeof wide);
        else return {};
        return wide;
    }

    /// @throws file_error if there is no such tensor
    std::vector<index> shape(std::string const& name) const {
#if PLATEAU_READS_NPZ
        if (npz_) return array(name).shape;
#endif
        return file_->info(name).shape;
    }

    /// @throws file_error if the tensor is missing or has another shape
    void require(std::string const& name, std::vector<index> const& expected) const {
        if (!contains(name)) {
            throw file_error(path_.string(), ": there is no tensor ", name,
                             ", which an autoencoder of this architecture has; is this ", told_by_, " the file's own?");
        }
        auto const found = shape(name);
        if (found == expected) return;
        throw file_error(path_.string(), ": ", name, " has the shape ", io::to_string(found), ", ", told_by_,
                         " asks for ", io::to_string(expected));
    }

    /// out.size() elements from the first of row `first` on; of a scalar the one.
    /// @throws file_error, shape_error, numeric_error: as safetensors_file::read_rows
    template <class T>
    void read_rows(std::string const& name, index first, std::span<T> out) const {
        auto const extents = shape(name);
        auto const size = static_cast<index>(out.size());
        index width = 1;
        for (std::size_t axis = 1; axis < extents.size(); ++axis) width *= extents[axis];
#if PLATEAU_READS_NPZ
        if (npz_) {
            auto const& stored = array(name);
            auto const type = stored.descr == "<f8" ? dtype::f64 : stored.descr == "<f4" ? dtype::f32 : dtype::f16;
            if (stored.descr != "<f8" && stored.descr != "<f4" && stored.descr != "<f2") {
                throw file_error(path_.string(), ": ", name, " holds ", io::printable(stored.descr),
                                 ", expected float32, float16 or float64");
            }
            auto const source = std::span{stored.data}.subspan(static_cast<std::size_t>(first * width) * size_of(type),
                                                               out.size() * size_of(type));
            index const bad = io::convert_elements(type, source, out);
            if (bad < 0) return;
            throw numeric_error(path_.string(), ": ", name, ": the value at flat index ", first * width + bad,
                                " is not finite in ", name_of(dtype_of<T>), "; the file is damaged");
        }
#endif
        if (extents.empty()) file_->read(name, out);
        else file_->read_rows(name, first, size / width, out);
    }

private:
#if PLATEAU_READS_NPZ
    /// The last one is kept: tensors are read one after the other, in pieces.
    io::npy_array const& array(std::string const& name) const {
        if (last_name_ != name) last_ = npz_->read(name);
        last_name_ = name;
        return last_;
    }

    std::optional<io::npz_reader> npz_;
    mutable std::string last_name_;
    mutable io::npy_array last_;
#endif
    std::filesystem::path path_;
    std::string told_by_;
    std::optional<io::safetensors_file> file_;
};

}  // namespace plateau::sae
