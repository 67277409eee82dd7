#pragma once
/// Bodies of program/weights_hash.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/order.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/stored_weights.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/program/sha256.hpp>
#include <plateau/program/weights_hash.hpp>

namespace plateau::program {

PLATEAU_PROGRAM_INLINE std::string sha256_of(std::span<std::byte const> tensor, bool mapped) {
    constexpr std::size_t piece = 1 << 20;
    sha256 all;
    for (std::size_t at = 0; at < tensor.size(); at += piece) {
        auto const here = tensor.subspan(at, std::min(piece, tensor.size() - at));
        all.add(here);
        if (mapped) io::drop_pages(here);
    }
    return all.hex();
}

PLATEAU_PROGRAM_INLINE std::string weights_sha256(std::filesystem::path const& path, int threads) {
    io::stored_weights const weights{path};
    auto const& tensors = weights.tensors();
    std::vector<std::uint64_t> smallness;  // the largest come first, so that threads end together
    for (auto const& one : tensors) smallness.push_back(~std::uint64_t{one.bytes.size()});
    auto const order = order_by(smallness);
    std::vector<std::string> hashes(tensors.size());
    parallel_for(threads, static_cast<index>(tensors.size()), [&](index i, int) {
        auto const at = order[static_cast<std::size_t>(i)];
        hashes[at] = sha256_of(tensors[at].bytes, tensors[at].mapped);
    });
    sha256 all;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        auto const line = tensors[i].spelling + ' ' + hashes[i] + '\n';
        all.add(std::as_bytes(std::span{line}));
    }
    return all.hex();
}

}  // namespace plateau::program
