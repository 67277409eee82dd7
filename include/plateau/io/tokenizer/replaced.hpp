#pragma once
/// Replaces every occurrence of a text by another.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io {

/// Every occurrence of a text replaced. @pre from is not empty
std::string replaced(std::string_view text, std::string_view from, std::string_view to);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/tokenizer/impl/replaced.ipp>
#endif
