#pragma once
/// Bodies of io/npz_reader.hpp.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <zlib.h>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/npz_reader.hpp>
#include <plateau/io/zip_directory.hpp>

namespace plateau::io {

PLATEAU_INLINE std::vector<std::string> npz_reader::names() const {
    std::vector<std::string> names;
    for (auto const& entry : entries_) {
        if (entry.name.ends_with(suffix)) names.push_back(entry.name.substr(0, entry.name.size() - suffix.size()));
    }
    return names;
}

PLATEAU_INLINE zip_entry const* npz_reader::find(std::string const& name) const {
    for (auto const& entry : entries_) {
        if (entry.name == name + std::string(suffix)) return &entry;
    }
    return nullptr;
}

PLATEAU_INLINE std::string npz_reader::where(std::string const& name) const {
    return file_.path().string() + "[" + name + "]";
}

namespace detail {

/// The checksum of a zip entry.
PLATEAU_INLINE_HOT std::uint32_t zip_crc32(std::span<std::byte const> bytes) {
    uLong crc = ::crc32(0, nullptr, 0);
    constexpr std::size_t most = 1u << 30;
    for (; !bytes.empty(); bytes = bytes.subspan(std::min(most, bytes.size()))) {
        auto const now = static_cast<uInt>(std::min(most, bytes.size()));
        crc = ::crc32(crc, reinterpret_cast<Bytef const*>(bytes.data()), now);
    }
    return static_cast<std::uint32_t>(crc);
}

/// Inflates a raw deflate stream of exactly `size` bytes; empty if it is damaged. Memory grows with what
/// comes out, not with the claimed size.
PLATEAU_INLINE_HOT std::vector<std::byte> inflate_all(std::span<std::byte const> from, std::uint64_t size) {
    ::z_stream stream{};
    if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw memory_error("no memory to inflate");
    std::vector<std::byte> out;
    int status = Z_OK;
    try {
        while (status == Z_OK && out.size() <= size) {
            constexpr std::size_t most = 1u << 30, piece = 1u << 18;
            auto const now = static_cast<uInt>(std::min(most, from.size()));
            std::size_t const before = out.size();
            out.resize(before + piece);
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
            stream.avail_in = now;
            stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
            stream.avail_out = static_cast<uInt>(piece);
            status = ::inflate(&stream, Z_NO_FLUSH);
            from = from.subspan(now - stream.avail_in);
            out.erase(out.end() - static_cast<std::ptrdiff_t>(stream.avail_out), out.end());
        }
    } catch (...) {
        ::inflateEnd(&stream);
        throw;
    }
    ::inflateEnd(&stream);
    if (status != Z_STREAM_END) out.clear();
    return out;
}

}  // namespace detail

PLATEAU_INLINE npy_array npz_reader::read(std::string const& name) const {
    zip_entry const* const entry = find(name);
    if (entry == nullptr) throw file_error(file_.path().string(), ": there is no array \"", name, "\"");
    if (entry->method != 0 && entry->method != 8) {
        throw file_error(where(name), ": compression method ", entry->method,
                         " is not supported; save with numpy.savez or savez_compressed");
    }
    std::vector<std::byte> inflated;
    auto content = entry->bytes;
    if (entry->method == 8) {
        inflated = detail::inflate_all(entry->bytes, entry->size);
        content = inflated;
    }
    if (content.size() != entry->size || detail::zip_crc32(content) != entry->crc32) {
        throw file_error(where(name), ": the array is damaged, its checksum is another; write the file again");
    }
    return parse_npy(content, where(name));
}

}  // namespace plateau::io
