#pragma once
/// Paths as texts: what std::filesystem::path makes of every literal is a good part of what a user compiles.

#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>

namespace plateau::io::detail {

/// "folder/name"; the name alone in no folder.
std::string under(std::string const& folder, std::string_view name);

std::string last_part(std::string const& path);

/// The folder that a path lies in, "." for a name alone.
std::string parent(std::string const& path);

bool is_there(std::string const& path);
bool is_folder(std::string const& path);

}  // namespace plateau::io::detail

#if !PLATEAU_COMPILED
#include <plateau/io/impl/path_text.ipp>
#endif
