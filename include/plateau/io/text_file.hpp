#pragma once
/// Text files as they are found: UTF-8 with or without a byte order mark, lines that end as on one system or another.

#include <filesystem>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// What stands behind the byte order mark of UTF-8, or the whole of a text that begins without one.
/// @param where  the file, for messages
/// @throws file_error with the command that converts, if the text begins as UTF-16 or UTF-32 do: with their mark, or
///         with letters of which every other byte is zero
std::string_view without_byte_order_mark(std::string_view text, std::string const& where);

/// A text file without the byte order mark of UTF-8 and without the \r of \r\n; any other \r stays.
/// @throws file_error as without_byte_order_mark; with the line and the byte if the file is not UTF-8
std::string read_text_file(std::filesystem::path const& path);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/text_file.ipp>
#endif
