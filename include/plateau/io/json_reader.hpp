#pragma once
/// Parses JSON from untrusted files into a json_document.

#include <cstddef>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/io/json.hpp>

namespace plateau::io {

/// Values may be nested this deep; more is refused before it can exhaust the stack.
inline constexpr std::size_t json_depth_limit = 128;

/// Parses one JSON text (RFC 8259, UTF-8 with or without a byte order mark, no comments; NaN, Infinity and -Infinity as
/// Python's json writes them).
/// @param where  the file, for messages
/// @throws file_error with `where` and the byte offset: not JSON, not UTF-8, an object with a repeated
///         key, nested deeper than json_depth_limit, a number beyond double; as without_byte_order_mark
json_document parse_json(std::string_view text, std::string const& where);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/json_reader.ipp>
#endif
