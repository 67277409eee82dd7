#pragma once
/// The directory of a zip file, with zip64, from untrusted bytes. (minizip's reader misses the 64-bit
/// fields on 64-bit Linux, in the version that Debian 12 has.)
/// @see PKWARE APPNOTE 6.3, sections 4.3 and 4.5.3

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// One file in a zip.
struct zip_entry {
    std::string name;
    unsigned method = 0;               ///< 0 stored, 8 deflated
    std::uint32_t crc32 = 0;           ///< of the content
    std::uint64_t size = 0;            ///< of the content, as claimed
    std::span<std::byte const> bytes;  ///< the content as it is stored
};

/// All entries, in the order of the directory.
/// @param where  the file, for messages
/// @throws file_error if the bytes are no zip, are cut, or an entry lies outside them
std::vector<zip_entry> read_zip_directory(std::span<std::byte const> file, std::string const& where);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/zip_directory.ipp>
#endif
