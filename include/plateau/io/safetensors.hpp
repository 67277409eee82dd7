#pragma once
/// The weights of a Hugging Face checkpoint: one file, or shards behind an index.

#include <cstddef>
#include <filesystem>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/safetensors_file.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// All tensors of a checkpoint under one roof, wherever they are stored.
///     DIR/model.safetensors | DIR/model.safetensors.index.json with its shards | FILE.safetensors
///     else DIR/pytorch_model.bin | DIR/pytorch_model.bin.index.json with its shards (PLATEAU_TORCH_FILES)
/// Symbolic links are followed, so the snapshot folders of a Hugging Face cache work as they are.
/// Reading is safe from many threads.
class safetensors_checkpoint {
public:
    /// Maps every file and checks every header.
    /// @throws file_error if there is no checkpoint, a shard is missing or malformed, the index names a
    ///         tensor that its shard lacks, a shard lies outside the directory, or a tensor is stored twice
    explicit safetensors_checkpoint(std::filesystem::path const& path);

    /// The directory or file that was opened.
    std::filesystem::path const& path() const { return path_; }

    bool contains(std::string_view name) const { return find(name) != nullptr; }

    /// Sorted.
    std::vector<std::string> names() const;

    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return file_of(name).info(name); }

    /// @copydoc safetensors_file::bytes
    std::span<std::byte const> bytes(std::string_view name) const { return file_of(name).bytes(name); }

    /// @copydoc safetensors_file::is_mapped
    bool is_mapped(std::string_view name) const { return file_of(name).is_mapped(name); }

    /// @copydoc safetensors_file::read
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const {
        file_of(name).read(name, out);
    }

    /// @copydoc safetensors_file::read_rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const {
        file_of(name).read_rows(name, first, count, out);
    }

    /// Takes what torch.compile, DDP and FSDP put into names out of them. @return what it was, empty if nothing was
    /// there
    std::string drop_wrappers();

    /// @copydoc mapped_file::drop_pages
    void drop_pages() const;

private:
    /// The file that has a tensor, or nullptr.
    safetensors_file const* find(std::string_view name) const;
    safetensors_file const& file_of(std::string_view name) const;
    void add(std::filesystem::path const& path);
    void add_shards(std::filesystem::path const& index_path);
    [[noreturn]] void fail_without_weights() const;

    std::filesystem::path path_;
    std::list<safetensors_file> files_;  // which stay where they are
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/safetensors.ipp>
#endif
