#pragma once
/// SHA-256 of a checkpoint's stored weights.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/order.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/stored_weights.hpp>
#include <plateau/program/sha256.hpp>

namespace plateau::program {

/// The hash of a mapped tensor. Memory that holds what was read is given back: a MiB is resident at a time.
inline std::string sha256_of(std::span<std::byte const> tensor) {
    constexpr std::size_t piece = 1 << 20;
    sha256 all;
    for (std::size_t at = 0; at < tensor.size(); at += piece) {
        auto const here = tensor.subspan(at, std::min(piece, tensor.size() - at));
        all.add(here);
        io::drop_pages(here);
    }
    return all.hex();
}

/// SHA-256 over one line a tensor, sorted by name as bytes: "NAME DTYPE D0xD1… HEX\n". Names, types and extents are
/// those of the file, the GGUF's own in a GGUF file; a scalar has no extents, and two spaces before HEX, which is the
/// SHA-256 of the stored bytes. Shards and a single file of the same tensors have the same hash.
/// @param path  a Hugging Face folder or a GGUF file, as models::open takes it      @throws file_error
inline std::string weights_sha256(std::filesystem::path const& path, int threads) {
    io::stored_weights const weights{path};
    auto const& tensors = weights.tensors();
    std::vector<std::uint64_t> smallness;  // the largest come first, so that threads end together
    for (auto const& one : tensors) smallness.push_back(~std::uint64_t{one.bytes.size()});
    auto const order = order_by(smallness);
    std::vector<std::string> hashes(tensors.size());
    parallel_for(threads, static_cast<index>(tensors.size()), [&](index i, int) {
        auto const at = order[static_cast<std::size_t>(i)];
        hashes[at] = sha256_of(tensors[at].bytes);
    });
    sha256 all;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        auto const line = tensors[i].spelling + ' ' + hashes[i] + '\n';
        all.add(std::as_bytes(std::span{line}));
    }
    return all.hex();
}

}  // namespace plateau::program
