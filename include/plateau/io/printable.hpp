#pragma once
/// Quotes text from untrusted files for messages.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// A text quoted, escaped as JSON in ASCII, and cut after 100 bytes.
std::string printable(std::string_view text);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/printable.ipp>
#endif
