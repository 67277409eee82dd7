#pragma once
/// SHA-256 of a checkpoint's stored weights.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include <plateau/program/compiled.hpp>

namespace plateau::program {

/// The hash of a tensor. Memory that holds what was read of a mapped one is given back: a MiB is resident at a time.
std::string sha256_of(std::span<std::byte const> tensor, bool mapped);

/// SHA-256 over one line a tensor, sorted by name as bytes: "NAME DTYPE D0xD1… HEX\n". Names, types and extents are
/// those of the file, the GGUF's own in a GGUF file; a scalar has no extents, and two spaces before HEX, which is the
/// SHA-256 of the stored bytes. Shards and a single file of the same tensors have the same hash.
/// @param path  a Hugging Face folder or a GGUF file, as models::open takes it      @throws file_error
std::string weights_sha256(std::filesystem::path const& path, int threads);

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/impl/weights_hash.ipp>
#endif
