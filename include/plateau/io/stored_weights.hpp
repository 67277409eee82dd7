#pragma once
/// All tensors of a checkpoint as its files spell and hold them.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/safetensors.hpp>

namespace plateau::io {

/// A tensor under the name, the type and the extents of its file.
struct spelled_tensor {
    std::string spelling;              ///< "NAME DTYPE D0xD1…"; "NAME DTYPE " of a scalar
    std::span<std::byte const> bytes;  ///< as stored, at any alignment
    bool mapped;                       ///< they are the file's, whose pages can be dropped
};

/// A Hugging Face folder or a GGUF file, without its configuration. Of a GGUF file everything is spelled as there: its
/// names, its types, the fastest axis first.
class stored_weights {
public:
    /// @param path  as models::open takes it      @throws file_error as safetensors_checkpoint and gguf_file
    explicit stored_weights(std::filesystem::path const& path);

    /// Sorted by name as bytes, of all shards together. The bytes are there as long as this object.
    std::vector<spelled_tensor> const& tensors() const { return tensors_; }

private:
    std::optional<safetensors_checkpoint> folder_;
    std::optional<gguf_file> file_;
    std::vector<spelled_tensor> tensors_;
};

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/stored_weights.ipp>
#endif
