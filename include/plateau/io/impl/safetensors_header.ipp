#pragma once
/// Bodies of io/safetensors_header.hpp.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/safetensors_header.hpp>
#include <plateau/io/tensor_info.hpp>
#include <plateau/io/tensor_table.hpp>

namespace plateau::io {

PLATEAU_INLINE std::optional<dtype> safetensors_dtype(std::string_view stored) {
    if (stored == "F32") return dtype::f32;
    if (stored == "BF16") return dtype::bf16;
    if (stored == "F16") return dtype::f16;
    if (stored == "F64") return dtype::f64;
    return std::nullopt;
}

namespace detail {

inline constexpr std::uint64_t safetensors_header_limit = 100'000'000;

/// Bits of one element; 0 for a type that the format does not know.
PLATEAU_INLINE std::uint64_t safetensors_bits(std::string_view stored) {
    constexpr std::pair<std::string_view, std::uint64_t> known[] = {
        {"F64", 64},    {"F32", 32},    {"F16", 16},        {"BF16", 16},      {"I64", 64},    {"I32", 32},
        {"I16", 16},    {"I8", 8},      {"U64", 64},        {"U32", 32},       {"U16", 16},    {"U8", 8},
        {"BOOL", 8},    {"C64", 64},    {"F4", 4},          {"F6_E2M3", 6},    {"F6_E3M2", 6}, {"F8_E5M2", 8},
        {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}};
    for (auto const& [name, bits] : known) {
        if (stored == name) return bits;
    }
    return 0;
}

PLATEAU_INLINE std::vector<index> parse_shape(json const& entry, std::string const& where) {
    json const* const shape = find_field(entry, "shape");
    if (shape == nullptr || !shape->is_array()) throw file_error(where, ": \"shape\" must be an array of extents");
    std::vector<index> extents;
    for (json const& extent : elements_of(*shape)) {
        if (!json_is<index>(extent) || value_of<index>(extent) < 0) {
            throw file_error(where, ": an extent must be an integer that is not negative, found ", describe(extent));
        }
        extents.push_back(value_of<index>(extent));
    }
    return extents;
}

/// Bytes of a tensor. @throws file_error if that overflows or is no whole number
PLATEAU_INLINE std::uint64_t stored_bytes(tensor_info const& info, std::string const& where) {
    std::uint64_t const bits = safetensors_bits(info.stored);
    if (bits == 0) {
        throw file_error(where, ": unknown dtype ", printable(info.stored), "; plateau reads F64, F32, F16 and BF16");
    }
    std::uint64_t total = bits;
    for (index extent : info.shape) {
        auto const factor = static_cast<std::uint64_t>(extent);
        if (factor != 0 && total > static_cast<std::uint64_t>(std::numeric_limits<index>::max()) / factor) {
            throw file_error(where, ": the shape ", to_string(info.shape), " overflows");
        }
        total *= factor;
    }
    if (total % 8 != 0) throw file_error(where, ": the shape ", to_string(info.shape), " does not fill whole bytes");
    return total / 8;
}

PLATEAU_INLINE std::pair<std::uint64_t, std::uint64_t> parse_offsets(json const& entry, std::string const& where) {
    json const* const offsets = find_field(entry, "data_offsets");
    std::vector<std::uint64_t> ends;
    if (offsets != nullptr && offsets->is_array()) {
        for (json const& end : elements_of(*offsets)) {
            bool const negative = json_is<index>(end) && value_of<index>(end) < 0;
            if (end.is_integer() && !negative) ends.push_back(value_of<std::uint64_t>(end));
        }
    }
    if (ends.size() != 2 || offsets->size() != 2) {
        throw file_error(where, ": \"data_offsets\" must be two integers that are not negative");
    }
    return {ends[0], ends[1]};
}

PLATEAU_INLINE std::vector<std::pair<std::string, std::string>> parse_metadata(json const& object,
                                                                               std::string const& where) {
    std::vector<std::pair<std::string, std::string>> metadata;
    if (!object.is_object()) throw file_error(where, ": \"__metadata__\" must be an object of strings");
    for (json const& value : members_of(object)) {
        if (!value.is_string())
            throw file_error(where, ": \"__metadata__\" must hold strings, found ", describe(value));
        metadata.emplace_back(std::string{value.key()}, std::string{text_of(value)});
    }
    return metadata;
}

/// Walks the tensors in the order of their bytes and requires that each begins where the last one ended.
PLATEAU_INLINE void require_tiling(tensor_table const& table, std::uint64_t data_bytes, std::size_t data_begin,
                                   std::string const& where) {
    auto const& tensors = table.all();
    std::vector<std::uint64_t> ends, begins;
    for (auto const& tensor : tensors) ends.push_back(tensor.begin + tensor.size);
    auto const by_end = order_by(ends);  // of two that begin together the empty one comes first
    for (std::size_t const i : by_end) begins.push_back(tensors[i].begin);
    std::size_t reached = data_begin;
    std::string last = "the header";
    for (std::size_t const i : order_by(begins)) {
        auto const& tensor = tensors[by_end[i]];
        if (tensor.begin != reached) {
            throw file_error(where, ": tensor ", printable(tensor.info.name),
                             tensor.begin < reached ? " overlaps with " : " leaves a hole after ", last,
                             "; the file is corrupt");
        }
        reached += tensor.size;
        last = printable(tensor.info.name);
    }
    if (reached != data_begin + data_bytes) {
        throw file_error(where, ": ", data_begin + data_bytes - reached,
                         " bytes after the last tensor belong to none; the file is corrupt");
    }
}

}  // namespace detail

PLATEAU_INLINE safetensors_header parse_safetensors_header(std::span<std::byte const> file, std::string const& where) {
    constexpr std::size_t prefix = sizeof(std::uint64_t);
    if (file.size() < prefix) {
        throw file_error(where, ": ", file.size(), " bytes are too few for a safetensors file; download it again");
    }
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), prefix);
    if (length > detail::safetensors_header_limit) {
        throw file_error(where, ": a header of ", length,
                         " bytes is beyond the format's limit of 100 MB; this is not a safetensors file");
    }
    if (length > file.size() - prefix) {
        throw file_error(where, ": the file ends within its header, ", file.size(), " of ", prefix + length,
                         " bytes are there; download it again");
    }
    std::size_t const data_begin = prefix + static_cast<std::size_t>(length);
    std::uint64_t const data_bytes = file.size() - data_begin;
    std::string_view const text{reinterpret_cast<char const*>(file.data()) + prefix, static_cast<std::size_t>(length)};
    auto const document = parse_json(text, concat({where, " (header)"}));
    json const& root = document.root();
    if (!root.is_object()) throw file_error(where, ": the header must be an object, found ", describe(root));

    safetensors_header header{tensor_table{where}, {}};
    for (json const& value : members_of(root)) {
        std::string const name{value.key()};
        if (name == "__metadata__") {
            header.metadata = detail::parse_metadata(value, where);
            continue;
        }
        std::string const here = concat({where, ": tensor ", printable(name)});
        if (!value.is_object()) throw file_error(here, " must be an object, found ", describe(value));
        tensor_info info{name, field<std::string, file_error>(value, "dtype", here), detail::parse_shape(value, here)};
        auto const [begin, end] = detail::parse_offsets(value, here);
        std::uint64_t const bytes = detail::stored_bytes(info, here);
        if (begin > end) throw file_error(here, ": its data_offsets are reversed");
        if (end > data_bytes) {
            throw file_error(here, ": its bytes end at ", end, " of ", data_bytes,
                             "; the file is cut, download it again");
        }
        if (end - begin != bytes) {
            throw file_error(here, ": ", info.stored, " of shape ", to_string(info.shape), " needs ", bytes,
                             " bytes, data_offsets give ", end - begin);
        }
        header.tensors.add(
            {std::move(info), data_begin + static_cast<std::size_t>(begin), static_cast<std::size_t>(bytes)});
    }
    detail::require_tiling(header.tensors, data_bytes, data_begin, where);
    return header;
}

}  // namespace plateau::io
