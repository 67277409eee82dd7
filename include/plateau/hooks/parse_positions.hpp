#pragma once
/// Parser of token positions: "last", "N" or "N:M".

#include <charconv>
#include <string>
#include <string_view>
#include <system_error>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/hooks/positions.hpp>

namespace plateau::hooks {

/// "last", "N" or "N:M". @throws usage_error
positions parse_positions(std::string const& text);

}  // namespace plateau::hooks

#if !PLATEAU_COMPILED
#include <plateau/hooks/impl/parse_positions.ipp>
#endif
