#pragma once
/// Bodies of io/gguf.hpp.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string_view>
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

PLATEAU_INLINE gguf_file::gguf_file(std::filesystem::path path) : file_{std::move(path)} {
    detail::gguf_cursor cursor{file_.bytes(), file_.path().string()};
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
    metadata_ = gguf_metadata{cursor, pairs};
    cursor.require_room(tensors, least, "tensors");
    std::vector<stored_tensor> found;
    for (std::uint64_t i = 0; i < tensors; ++i) found.push_back(read_entry(cursor));
    // the data section begins where the table ends, on a multiple of the alignment, and offsets count from there
    std::uint64_t const alignment = read_alignment(cursor);
    std::uint64_t const start = (cursor.position() + alignment - 1) / alignment * alignment;
    std::uint64_t const total = file_.bytes().size();
    table_ = tensor_table{cursor.where()};
    for (auto& at : found) {
        auto const fail = [&](std::string_view what) {
            cursor.fail(concat({"the data of tensor ", printable(at.info.name), " ", what}));
        };
        if (at.begin % alignment != 0) fail(concat({"is not aligned to ", alignment, " bytes"}));
        if (start > total || at.begin > total - start || at.size > total - start - at.begin) {
            fail("reaches past the end of the file; download it again");
        }
        at.begin += static_cast<std::size_t>(start);
        table_.add(std::move(at));
    }
    require_apart(cursor);
}

PLATEAU_INLINE stored_tensor gguf_file::read_entry(detail::gguf_cursor& cursor) {
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
    for (std::uint32_t axis = 0; axis < axes; ++axis) {
        auto const extent = cursor.scalar<std::uint64_t>("the shape of a tensor");
        if (extent == 0) fail("has no elements");
        if (extent > most_elements / elements) fail("has a shape that overflows");
        elements *= extent;
        found.info.shape.insert(found.info.shape.begin(), static_cast<index>(extent));
    }
    auto const type = cursor.scalar<std::uint32_t>("the type of a tensor");
    auto const* const encoding = find_gguf_encoding(type);
    if (encoding == nullptr) {
        fail(concat({"has the type number ", type, ", which is not supported; supported are ", gguf_encoding_names()}));
    }
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

PLATEAU_INLINE std::uint64_t gguf_file::read_alignment(detail::gguf_cursor const& cursor) const {
    constexpr index usual = 32;
    index const alignment = metadata_.integer("general.alignment").value_or(usual);
    if (alignment < 1 || (alignment & (alignment - 1)) != 0 || alignment > std::numeric_limits<std::uint32_t>::max()) {
        cursor.fail(concat({"general.alignment must be a power of two, found ", alignment}));
    }
    return static_cast<std::uint64_t>(alignment);
}

PLATEAU_INLINE void gguf_file::require_apart(detail::gguf_cursor const& cursor) const {
    auto const& tensors = table_.all();
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

}  // namespace plateau::io
