#pragma once
/// Matches names against patterns, suggests the nearest ones, and joins them for messages.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau {

/// True if `name` matches `pattern`: `*` any characters (dots too, none too), `?` exactly one.
bool matches(std::string_view pattern, std::string_view name);

/// Levenshtein distance in characters.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The `count` names nearest to `wanted`, nearest first, ties in their given order.
std::vector<std::string> nearest_names(std::string_view wanted, std::vector<std::string> const& names,
                                       std::size_t count = 3);

/// "a, b, c".
std::string join(std::vector<std::string> const& parts, std::string_view separator = ", ");

/// "[3, 4]", for messages.
std::string shape_text(std::span<index const> extents);

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/names.ipp>
#endif
