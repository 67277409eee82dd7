#pragma once
/// Bodies of io/gguf.hpp.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/gguf.hpp>
#include <plateau/io/gguf_blocks.hpp>
#include <plateau/io/gguf_cursor.hpp>
#include <plateau/io/gguf_metadata.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

namespace detail {

PLATEAU_INLINE stored_tensor read_gguf_entry(gguf_cursor& cursor) {
    constexpr std::uint32_t most_axes = 4;
    constexpr auto most_elements = static_cast<std::uint64_t>(std::numeric_limits<index>::max()) / sizeof(double);
    stored_tensor found{};
    found.info.name = cursor.string("the name of a tensor");
    auto const fail = [&](std::string_view what) {
        cursor.fail(concat({"tensor ", printable(found.info.name), " ", what}));
    };
    auto const axes = cursor.scalar<std::uint32_t>("the shape of a tensor");
    if (axes > most_axes) fail(concat({"has ", axes, " axes, at most 4 are possible"}));
    std::uint64_t elements = 1;
    found.info.shape = std::vector<index>(axes);
    for (std::uint32_t axis = axes; axis-- > 0;) {  // GGUF begins with the fastest one
        auto const extent = cursor.scalar<std::uint64_t>("the shape of a tensor");
        if (extent == 0) fail("has no elements");
        if (extent > most_elements / elements) fail("has a shape that overflows");
        elements *= extent;
        found.info.shape[axis] = static_cast<index>(extent);
    }
    auto const type = cursor.scalar<std::uint32_t>("the type of a tensor");
    auto const* const encoding = find_gguf_encoding(type);
    if (encoding == nullptr) fail(refusal_of_gguf_type(type));
    found.info.stored = encoding->name;
    auto const block = static_cast<std::uint64_t>(encoding->elements);
    auto const row = found.info.shape.empty() ? 1 : static_cast<std::uint64_t>(found.info.shape.back());
    if (row % block != 0) {
        fail(concat(
            {"has rows of ", row, " elements, not a multiple of the ", block, " in a block of ", found.info.stored}));
    }
    found.size = elements / block * static_cast<std::uint64_t>(encoding->bytes);
    found.begin = cursor.scalar<std::uint64_t>("the offset of a tensor");
    return found;
}

PLATEAU_INLINE std::uint64_t gguf_alignment(gguf_metadata const& metadata, gguf_cursor const& cursor) {
    constexpr index usual = 32;
    index const alignment = metadata.integer("general.alignment").value_or(usual);
    if (alignment < 1 || (alignment & (alignment - 1)) != 0 || alignment > std::numeric_limits<std::uint32_t>::max()) {
        cursor.fail(concat({"general.alignment must be a power of two, found ", alignment}));
    }
    return static_cast<std::uint64_t>(alignment);
}

PLATEAU_INLINE void require_apart(std::vector<stored_tensor> const& tensors, gguf_cursor const& cursor) {
    std::vector<std::uint64_t> begins;
    for (auto const& at : tensors) begins.push_back(at.begin);
    stored_tensor const* last = nullptr;
    for (std::size_t const i : order_by(begins)) {
        if (last != nullptr && tensors[i].begin - last->begin < last->size) {
            cursor.fail(concat({"the data of tensors ", printable(last->info.name), " and ",
                                printable(tensors[i].info.name), " overlap"}));
        }
        last = &tensors[i];
    }
}

/// "-00001-of-00002.gguf" of part 0 of 2.
PLATEAU_INLINE std::string gguf_part_ending(index number, index count) {
    std::string ending = "-00000-of-00000.gguf";
    ++number;
    for (std::size_t digit = 0; digit < 5; ++digit, number /= 10, count /= 10) {
        ending[5 - digit] = static_cast<char>('0' + number % 10);
        ending[14 - digit] = static_cast<char>('0' + count % 10);
    }
    return ending;
}

}  // namespace detail

PLATEAU_INLINE gguf_file::gguf_file(std::filesystem::path path) : table_{path.string()} {
    metadata_ = add_file(std::move(path), -1);
    index const parts = metadata_.integer("split.count").value_or(0);
    if (parts > 1) add_other_parts(parts);
}

PLATEAU_INLINE gguf_metadata gguf_file::add_file(std::filesystem::path path, index part) {
    auto const& file = files_.emplace_back(std::move(path));
    detail::gguf_cursor cursor{file.bytes(), file.path().string()};
    if (cursor.left() < 4 || cursor.scalar<std::uint32_t>("the magic number") != 0x46554747u) {  // "GGUF"
        throw file_error(cursor.where(), ": this is no GGUF file: it does not begin with \"GGUF\"");
    }
    auto const version = cursor.scalar<std::uint32_t>("the version");
    if ((version & 0xFFFFu) == 0) cursor.fail("it was written for big-endian machines, which is not supported");
    if (version != 2 && version != 3) {
        cursor.fail(concat({"version ", version, " is not supported, only 2 and 3; convert the model again"}));
    }
    auto const tensors = cursor.scalar<std::uint64_t>("the number of tensors");
    auto const pairs = cursor.scalar<std::uint64_t>("the number of metadata entries");
    constexpr std::size_t least = 8 + 4 + 4 + 8;  // length of the name, number of axes, type, offset
    cursor.require_room(tensors, least, "tensors");
    gguf_metadata metadata{cursor, pairs};
    if (part >= 0) require_part(metadata, part);
    cursor.require_room(tensors, least, "tensors");
    std::vector<stored_tensor> found;
    for (std::uint64_t i = 0; i < tensors; ++i) found.push_back(detail::read_gguf_entry(cursor));
    // the data section begins where the table ends, on a multiple of the alignment, and offsets count from there
    std::uint64_t const alignment = detail::gguf_alignment(metadata, cursor);
    std::uint64_t const start = (cursor.position() + alignment - 1) / alignment * alignment;
    std::uint64_t const total = file.bytes().size();
    for (auto& at : found) {
        auto const fail = [&](std::string_view what) {
            cursor.fail(concat({"the data of tensor ", printable(at.info.name), " ", what}));
        };
        if (at.begin % alignment != 0) fail(concat({"is not aligned to ", alignment, " bytes"}));
        if (start > total || at.begin > total - start || at.size > total - start - at.begin) {
            fail("reaches past the end of the file; download it again");
        }
        at.begin += static_cast<std::size_t>(start);
        at.file = file.bytes().data();
    }
    detail::require_apart(found, cursor);
    for (auto& at : found) table_.add(std::move(at));
    return metadata;
}

PLATEAU_INLINE void gguf_file::add_other_parts(index count) {
    auto const& given = path();
    index const own = metadata_.integer("split.no").value_or(-1);
    auto const here = concat({given.string(), ": this is part ", own + 1, " of ", count, " of a split model"});
    constexpr std::string_view merge = "what `llama-gguf-split --merge FIRST_PART OUT.gguf` makes of all parts";
    auto name = given.string();
    auto const ending = detail::gguf_part_ending(own, count);
    if (own < 0 || own >= count || !name.ends_with(ending)) {
        throw file_error(here, ", but its name does not end in ", ending,
                         ", by which the others are found: give the parts the names that they had, or give ", merge);
    }
    name.erase(name.size() - ending.size());
    for (index part = 0; part < count; ++part) {
        if (part == own) continue;
        std::filesystem::path other{name + detail::gguf_part_ending(part, count)};
        std::error_code ignored;
        if (!std::filesystem::exists(other, ignored)) {
            throw file_error(here, "; ", other.string(),
                             " is missing beside it: download every part into one folder, or give ", merge);
        }
        auto metadata = add_file(std::move(other), part);
        if (part == 0) metadata_ = std::move(metadata);
    }
    auto const found = static_cast<index>(table_.all().size());
    if (metadata_.integer("split.tensors.count") == found) return;
    throw file_error(here, ": all parts have ", found,
                     " tensors, which is not their split.tensors.count; download them again");
}

PLATEAU_INLINE void gguf_file::require_part(gguf_metadata const& metadata, index part) const {
    char const* wrong = nullptr;
    for (auto const* key : {"split.count", "split.tensors.count"}) {
        if (metadata.integer(key) != metadata_.integer(key)) wrong = key;
    }
    auto const named = metadata.text("general.architecture"), first = metadata_.text("general.architecture");
    if (named && first && *named != *first) wrong = "general.architecture";
    if (metadata.integer("split.no") != part) wrong = "split.no";
    if (wrong == nullptr) return;
    throw file_error(files_.back().path().string(), ": by its name this is part ", part + 1, " of the model of ",
                     path().string(), ", but not by its ", wrong, ": download all parts of one model again");
}

}  // namespace plateau::io
