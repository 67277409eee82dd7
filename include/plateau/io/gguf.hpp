#pragma once
/// One GGUF file (versions 2 and 3), memory-mapped.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/io/gguf_blocks.hpp>
#include <plateau/io/gguf_cursor.hpp>
#include <plateau/io/gguf_metadata.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

/// Metadata and tensors of one file. The tables are checked on construction; elements are decoded from
/// the mapping when asked for. Values are those of gguf.quants.dequantize (Python package gguf), bit for
/// bit. Reading is safe from many threads.
/// @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
class gguf_file {
public:
    /// @throws file_error if the file cannot be read or is malformed: wrong magic, version or byte order,
    ///         counts or lengths past the end, an alignment that is no power of two, a key or tensor
    ///         twice, an unsupported tensor type, a shape that overflows or does not fill whole blocks,
    ///         data that is misaligned, overlapping or past the end
    explicit gguf_file(std::filesystem::path path);

    std::filesystem::path const& path() const { return file_.path(); }
    gguf_metadata const& metadata() const { return metadata_; }
    bool contains(std::string_view name) const { return entries_.find(name) != entries_.end(); }

    /// Sorted.
    std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (auto const& [name, entry] : entries_) names.push_back(name);
        return names;
    }

    /// The shape is row-major, slowest axis first: the reverse of GGUF's `ne`.
    /// @throws file_error if there is no such tensor
    tensor_info const& info(std::string_view name) const { return find(name).info; }

    /// All elements, row-major: decoded to float, then widened exactly or rounded to nearest, ties to even.
    /// @throws file_error if there is no such tensor; shape_error if `out` has another number of elements;
    ///         numeric_error with the flat index of a value that is not finite
    template <ReadableFloat T>
    void read(std::string_view name, std::span<T> out) const {
        auto const& at = find(name);
        if (static_cast<index>(out.size()) != element_count(at.info)) {
            throw shape_error(describe_tensor(at) + " has " + std::to_string(element_count(at.info)) +
                              " elements, expected " + std::to_string(out.size()));
        }
        decode(at, 0, out);
    }

    /// Rows [first, first + count) of the first axis, as `read`.
    /// @throws shape_error also if the tensor is a scalar or has fewer rows
    template <ReadableFloat T>
    void read_rows(std::string_view name, index first, index count, std::span<T> out) const {
        auto const& at = find(name);
        if (at.info.shape.empty() || first < 0 || count < 0 || first > at.info.shape[0] - count) {
            throw shape_error(describe_tensor(at) + " has no rows [" + std::to_string(first) + ", " +
                              std::to_string(first) + " + " + std::to_string(count) + ")");
        }
        index const width = element_count(at.info) / at.info.shape[0];
        if (static_cast<index>(out.size()) != width * count) {
            throw shape_error(describe_tensor(at) + " has " + std::to_string(width) + " elements in a row, " +
                              std::to_string(out.size()) + " were asked for in " + std::to_string(count) + " rows");
        }
        decode(at, first * width, out);
    }

private:
    struct stored_tensor {
        tensor_info info;
        gguf_encoding const* encoding;
        std::uint64_t begin;  // from the start of the data section while the table is read, then of the file
        std::uint64_t size;
    };

    stored_tensor const& find(std::string_view name) const {
        auto const at = entries_.find(name);
        if (at == entries_.end()) {
            throw file_error(path().string() + ": there is no tensor " + detail::shown_name(name));
        }
        return at->second;
    }

    std::string describe_tensor(stored_tensor const& at) const {
        return path().string() + ": tensor " + detail::shown_name(at.info.name) + " of shape " +
               to_string(at.info.shape);
    }

    static stored_tensor read_entry(detail::gguf_cursor& cursor);
    std::uint64_t read_alignment(detail::gguf_cursor const& cursor) const;
    void place_data(detail::gguf_cursor const& cursor);
    template <class T>
    void decode(stored_tensor const& at, index first, std::span<T> out) const;

    mapped_file file_;
    gguf_metadata metadata_;
    std::map<std::string, stored_tensor, std::less<>> entries_;
};

inline gguf_file::gguf_file(std::filesystem::path path) : file_{std::move(path)} {
    detail::gguf_cursor cursor{file_.bytes(), file_.path().string()};
    if (cursor.left() < 4 || cursor.scalar<std::uint32_t>("the magic number") != 0x46554747u) {  // "GGUF"
        throw file_error(cursor.where() + ": this is no GGUF file: it does not begin with \"GGUF\"");
    }
    auto const version = cursor.scalar<std::uint32_t>("the version");
    if ((version & 0xFFFFu) == 0) cursor.fail("it was written for big-endian machines, which is not supported");
    if (version != 2 && version != 3) {
        cursor.fail("version " + std::to_string(version) + " is not supported, only 2 and 3; convert the model again");
    }
    auto const tensors = cursor.scalar<std::uint64_t>("the number of tensors");
    auto const pairs = cursor.scalar<std::uint64_t>("the number of metadata entries");
    constexpr std::size_t least = 8 + 4 + 4 + 8;  // length of the name, number of axes, type, offset
    cursor.require_room(tensors, least, "tensors");
    metadata_ = gguf_metadata{cursor, pairs};
    cursor.require_room(tensors, least, "tensors");
    for (std::uint64_t i = 0; i < tensors; ++i) {
        stored_tensor found = read_entry(cursor);
        std::string name = found.info.name;
        if (!entries_.emplace(std::move(name), std::move(found)).second) {
            cursor.fail("a tensor name occurs twice");
        }
    }
    place_data(cursor);
}

inline gguf_file::stored_tensor gguf_file::read_entry(detail::gguf_cursor& cursor) {
    constexpr std::uint32_t most_axes = 4;
    constexpr auto most_elements = static_cast<std::uint64_t>(std::numeric_limits<index>::max()) / sizeof(double);
    stored_tensor found{};
    found.info.name = cursor.string("the name of a tensor");
    auto const fail = [&](std::string const& what) {
        cursor.fail("tensor " + detail::shown_name(found.info.name) + " " + what);
    };
    auto const axes = cursor.scalar<std::uint32_t>("the shape of a tensor");
    if (axes > most_axes) fail("has " + std::to_string(axes) + " axes, at most 4 are possible");
    std::uint64_t elements = 1;
    for (std::uint32_t axis = 0; axis < axes; ++axis) {
        auto const extent = cursor.scalar<std::uint64_t>("the shape of a tensor");
        if (extent == 0) fail("has no elements");
        if (extent > most_elements / elements) fail("has a shape that overflows");
        elements *= extent;
        found.info.shape.insert(found.info.shape.begin(), static_cast<index>(extent));
    }
    auto const type = cursor.scalar<std::uint32_t>("the type of a tensor");
    found.encoding = find_gguf_encoding(type);
    if (found.encoding == nullptr) {
        fail("has the type number " + std::to_string(type) + ", which is not supported; supported are " +
             gguf_encoding_names());
    }
    found.info.stored = found.encoding->name;
    auto const block = static_cast<std::uint64_t>(found.encoding->elements);
    auto const row = found.info.shape.empty() ? 1 : static_cast<std::uint64_t>(found.info.shape.back());
    if (row % block != 0) {
        fail("has rows of " + std::to_string(row) + " elements, not a multiple of the " + std::to_string(block) +
             " in a block of " + found.info.stored);
    }
    found.size = elements / block * static_cast<std::uint64_t>(found.encoding->bytes);
    found.begin = cursor.scalar<std::uint64_t>("the offset of a tensor");
    return found;
}

inline std::uint64_t gguf_file::read_alignment(detail::gguf_cursor const& cursor) const {
    constexpr index usual = 32;
    index const alignment = metadata_.integer("general.alignment").value_or(usual);
    if (alignment < 1 || (alignment & (alignment - 1)) != 0 || alignment > std::numeric_limits<std::uint32_t>::max()) {
        cursor.fail("general.alignment must be a power of two, found " + std::to_string(alignment));
    }
    return static_cast<std::uint64_t>(alignment);
}

inline void gguf_file::place_data(detail::gguf_cursor const& cursor) {
    std::uint64_t const alignment = read_alignment(cursor);
    std::uint64_t const start = (cursor.position() + alignment - 1) / alignment * alignment;
    std::uint64_t const total = file_.bytes().size();
    std::vector<stored_tensor const*> order;
    for (auto& [name, at] : entries_) {
        auto const fail = [&, &entry_name = name](std::string const& what) {
            cursor.fail("the data of tensor " + detail::shown_name(entry_name) + " " + what);
        };
        if (at.begin % alignment != 0) fail("is not aligned to " + std::to_string(alignment) + " bytes");
        if (start > total || at.begin > total - start || at.size > total - start - at.begin) {
            fail("reaches past the end of the file; download it again");
        }
        at.begin += start;
        order.push_back(&at);
    }
    std::sort(order.begin(), order.end(), [](auto const* a, auto const* b) { return a->begin < b->begin; });
    for (std::size_t i = 1; i < order.size(); ++i) {
        if (order[i]->begin - order[i - 1]->begin < order[i - 1]->size) {
            cursor.fail("the data of tensors " + detail::shown_name(order[i - 1]->info.name) + " and " +
                        detail::shown_name(order[i]->info.name) + " overlap");
        }
    }
}

template <class T>
void gguf_file::decode(stored_tensor const& at, index first, std::span<T> out) const {
    constexpr index chunk = 1024;  // a multiple of the elements of every block
    float decoded[chunk];
    index const per_block = at.encoding->elements;
    index const last = first + static_cast<index>(out.size());
    std::byte const* const data = file_.bytes().data() + at.begin;
    for (index from = first / per_block * per_block; from < last; from += chunk) {
        index const blocks = (std::min(chunk, last - from) + per_block - 1) / per_block;
        at.encoding->decode(data + from / per_block * at.encoding->bytes, blocks, decoded);
        index const begin = std::max(first, from);
        index const end = std::min(last, from + chunk);
        T* const target = out.data() + (begin - first);
        bool finite = true;
        for (index i = 0; i < end - begin; ++i) {
            target[i] = convert_element<T>(decoded[begin - from + i]);
            finite &= is_finite(target[i]);
        }
        if (finite) continue;
        index bad = 0;
        while (is_finite(target[bad])) ++bad;
        throw numeric_error(describe_tensor(at) + ": the value at flat index " + std::to_string(begin + bad) +
                            " is not finite in " + std::string(name_of(dtype_of<T>)) +
                            "; the checkpoint is damaged, or needs a wider --dtype");
    }
}

}  // namespace plateau::io
