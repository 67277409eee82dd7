#pragma once
/// Texts and numbers as HTML, JSON and data URIs spell them, the same in every locale.

#include <string>
#include <string_view>

#include <plateau/program/compiled.hpp>

namespace plateau::program::report {

/// A text between tags or in an attribute's quotes: & < > " ' are entities, bytes that are no UTF-8 U+FFFD, control
/// characters but tab and newline blanks.
std::string html(std::string_view text);

/// A JSON string with its quotes, which a <script> element may hold: < > & and the line ends of JavaScript alone
/// (U+2028, U+2029) are \u escapes, bytes that are no UTF-8 U+FFFD.
std::string json(std::string_view text);

/// A JSON number of at most so many significant digits, no more than its value needs; null if it is not finite.
std::string json(double value, int digits);

/// "data:TYPE;base64,…"
std::string data_uri(std::string_view type, std::string_view bytes);

/// Base 64 with = at the end (RFC 4648, section 4).
std::string base64(std::string_view bytes);

/// A text of at most `most` bytes and an ellipsis: the beginning and, what counts for a prompt, the end.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace plateau::program::report

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/report/impl/spelling.ipp>
#endif
