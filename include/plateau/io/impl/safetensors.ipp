#pragma once
/// Bodies of io/safetensors.hpp.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/path_text.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/io/safetensors_file.hpp>

namespace plateau::io {

PLATEAU_INLINE std::vector<std::string> safetensors_checkpoint::names() const {
    if (files_.size() == 1) return files_.front().names();
    name_index all;
    for (auto const& file : files_) {
        for (auto const& tensor : file.header().tensors.all()) all.add(tensor.info.name);
    }
    return all.names();
}

PLATEAU_INLINE safetensors_file const* safetensors_checkpoint::find(std::string_view name) const {
    for (auto const& file : files_) {
        if (file.contains(name)) return &file;
    }
    return nullptr;
}

PLATEAU_INLINE safetensors_file const& safetensors_checkpoint::file_of(std::string_view name) const {
    auto const* const file = find(name);
    if (file == nullptr) throw file_error(path_.string(), ": the checkpoint has no tensor ", printable(name));
    return *file;
}

PLATEAU_INLINE void safetensors_checkpoint::add(std::filesystem::path const& path) {
    std::list<safetensors_file> added;
    auto const& file = added.emplace_back(path);
    for (auto const& tensor : file.header().tensors.all()) {
        if (auto const* const other = find(tensor.info.name)) {
            throw file_error(path_.string(), ": tensor ", printable(tensor.info.name), " is stored in ",
                             detail::last_part(other->path().string()), " and in ", detail::last_part(path.string()));
        }
    }
    files_.splice(files_.end(), added);
}

PLATEAU_INLINE void safetensors_checkpoint::drop_pages() const {
    for (auto const& file : files_) file.drop_pages();
}

PLATEAU_INLINE std::string safetensors_checkpoint::drop_wrappers() {
    std::string dropped;
    for (std::string_view const part :
         {"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.", "module."}) {
        bool any = false;
        for (auto& file : files_) any |= file.drop_component(part);
        if (any) dropped += concat({dropped.empty() ? "" : " and ", part});
    }
    return dropped;
}

PLATEAU_INLINE safetensors_checkpoint::safetensors_checkpoint(std::filesystem::path const& path) : path_{path} {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path, ignored)) {
        if (path.extension() == ".json") add_shards(path);
        else add(path);
        return;
    }
    for (auto const* name : {"model.safetensors", "pytorch_model.bin"}) {
        auto const single = path / name, shards = path / concat({name, ".index.json"});
        if (std::filesystem::exists(single, ignored)) add(single);
        else if (std::filesystem::exists(shards, ignored)) add_shards(shards);
        if (!files_.empty()) return;
    }
    fail_without_weights();
}

PLATEAU_INLINE void safetensors_checkpoint::add_shards(std::filesystem::path const& index_path) {
    std::string const where = index_path.string();
    auto const text = read_text(index_path);
    if (text.starts_with("<"))
        throw file_error(where, ": this is an HTML page: the download failed; fetch the file again");
    auto const document = parse_json(text, where);
    json const& root = document.root();
    if (!root.is_object()) throw file_error(where, ": the index must be an object, found ", describe(root));
    json const& weight_map = object_field<file_error>(root, "weight_map", where);
    name_index opened;
    for (json const& shard : members_of(weight_map)) {
        std::string const name{shard.key()};
        if (!shard.is_string()) {
            throw file_error(where, ": the shard of ", printable(name), " must be a string, found ", describe(shard));
        }
        std::string const shard_name{text_of(shard)};
        std::filesystem::path const relative{shard_name};
        auto const file = index_path.parent_path() / relative;
        if (opened.add(shard_name).second) {
            bool escapes = shard_name.find('\0') != std::string::npos || relative.empty() || relative.is_absolute();
            for (auto const& part : relative) escapes |= part == "..";
            if (escapes) throw file_error(where, ": the shard ", describe(shard), " lies outside the directory");
            std::error_code ignored;
            if (!std::filesystem::exists(file, ignored)) {
                throw file_error(where, ": the shard ", file.string(), " is missing; download the checkpoint again");
            }
            add(file);
        }
        auto const* const holder = find(name);
        if (holder == nullptr || holder->path() != file) {
            throw file_error(where, ": tensor ", printable(name), " is not in its shard ", printable(shard_name));
        }
    }
}

PLATEAU_INLINE void safetensors_checkpoint::fail_without_weights() const {
    std::string const directory = path_.string();
    auto const foreign = foreign_format(directory);
    if (!foreign.empty()) throw file_error(directory, ": there is no model.safetensors here, but ", foreign);
    throw file_error(
        directory,
        ": there is neither model.safetensors nor model.safetensors.index.json here, nor pytorch_model.bin; "
        "give a directory with a Hugging Face checkpoint");
}

}  // namespace plateau::io
