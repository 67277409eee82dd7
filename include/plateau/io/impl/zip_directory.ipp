#pragma once
/// Bodies of io/zip_directory.hpp.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/zip_directory.hpp>

namespace plateau::io {

namespace detail {

/// Little-endian numbers at checked places.
class zip_bytes {
public:
    zip_bytes(std::span<std::byte const> bytes, std::string const& where) : bytes_{bytes}, where_{where} {}

    std::uint64_t size() const { return bytes_.size(); }

    template <class T>
    T get(std::uint64_t at) const {
        T value;
        std::memcpy(&value, slice(at, sizeof(T)).data(), sizeof(T));
        return value;
    }

    std::span<std::byte const> slice(std::uint64_t at, std::uint64_t count) const {
        if (at > bytes_.size() || count > bytes_.size() - at) fail();
        return bytes_.subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
    }

    [[noreturn]] void fail() const {
        throw file_error(where_, ": not a whole zip: it is cut or damaged; write or download it again");
    }

private:
    std::span<std::byte const> bytes_;
    std::string const& where_;
};

struct zip_extent {
    std::uint64_t first = 0;
    std::uint64_t entries = 0;
};

/// The place of the directory, from the record at the end of the file.
PLATEAU_INLINE zip_extent find_zip_directory(zip_bytes const& file) {
    constexpr std::uint64_t end_bytes = 22, longest_comment = 0xFFFF, locator_bytes = 20;
    if (file.size() < end_bytes) file.fail();
    std::uint64_t end = file.size() - end_bytes;
    std::uint64_t const lowest = end > longest_comment ? end - longest_comment : 0;
    while (file.get<std::uint32_t>(end) != 0x06054b50u) {
        if (end == lowest) file.fail();
        --end;
    }
    zip_extent extent{file.get<std::uint32_t>(end + 16), file.get<std::uint16_t>(end + 10)};
    bool const full = extent.first == 0xFFFFFFFFu || extent.entries == 0xFFFFu;
    if (full && end >= locator_bytes && file.get<std::uint32_t>(end - locator_bytes) == 0x07064b50u) {
        auto const wide = file.get<std::uint64_t>(end - locator_bytes + 8);
        if (file.get<std::uint32_t>(wide) != 0x06064b50u) file.fail();
        extent = {file.get<std::uint64_t>(wide + 48), file.get<std::uint64_t>(wide + 32)};
    }
    return extent;
}

/// Replaces the sizes and the place that are full in their 32 bits by the 64-bit ones of the extra field.
PLATEAU_INLINE void widen_zip_fields(zip_bytes const& extra, std::span<std::uint64_t* const> fields) {
    for (std::uint64_t at = 0; at + 4 <= extra.size();) {
        auto const id = extra.get<std::uint16_t>(at);
        auto const length = extra.get<std::uint16_t>(at + 2);
        std::uint64_t next = at + 4;
        at = next + length;
        if (id != 1) continue;
        for (auto* field : fields) {
            if (*field != 0xFFFFFFFFu) continue;
            if (next + 8 > at) extra.fail();
            *field = extra.get<std::uint64_t>(next);
            next += 8;
        }
        return;
    }
}

}  // namespace detail

PLATEAU_INLINE std::vector<zip_entry> read_zip_directory(std::span<std::byte const> bytes, std::string const& where) {
    constexpr std::uint64_t central_bytes = 46, local_bytes = 30;
    detail::zip_bytes const file{bytes, where};
    auto const directory = detail::find_zip_directory(file);
    std::vector<zip_entry> entries;
    std::uint64_t at = directory.first;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
        if (file.get<std::uint32_t>(at) != 0x02014b50u) file.fail();
        zip_entry entry;
        bool const encrypted = (file.get<std::uint16_t>(at + 8) & 1u) != 0;
        if (encrypted) throw file_error(where, ": it is encrypted, which is not supported");
        entry.method = file.get<std::uint16_t>(at + 10);
        entry.crc32 = file.get<std::uint32_t>(at + 16);
        std::uint64_t stored = file.get<std::uint32_t>(at + 20);
        entry.size = file.get<std::uint32_t>(at + 24);
        std::uint64_t const name_bytes = file.get<std::uint16_t>(at + 28);
        std::uint64_t const extra_bytes = file.get<std::uint16_t>(at + 30);
        std::uint64_t const comment_bytes = file.get<std::uint16_t>(at + 32);
        std::uint64_t local = file.get<std::uint32_t>(at + 42);
        auto const name = file.slice(at + central_bytes, name_bytes);
        entry.name.assign(reinterpret_cast<char const*>(name.data()), name.size());
        detail::zip_bytes const extra{file.slice(at + central_bytes + name_bytes, extra_bytes), where};
        std::uint64_t* const fields[] = {&entry.size, &stored, &local};
        detail::widen_zip_fields(extra, fields);

        // The local header repeats the entry, with an extra field of another length.
        if (file.get<std::uint32_t>(local) != 0x04034b50u) file.fail();
        std::uint64_t const skip =
            local_bytes + file.get<std::uint16_t>(local + 26) + file.get<std::uint16_t>(local + 28);
        file.slice(local, skip);
        entry.bytes = file.slice(local + skip, stored);
        entries.push_back(std::move(entry));
        at += central_bytes + name_bytes + extra_bytes + comment_bytes;
    }
    return entries;
}

}  // namespace plateau::io
