#pragma once
/// Bodies of io/path_text.hpp.

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/path_text.hpp>

namespace plateau::io::detail {

PLATEAU_INLINE std::string under(std::string const& folder, std::string_view name) {
    return concat({folder, folder.empty() || folder.ends_with('/') ? "" : "/", name});
}
PLATEAU_INLINE std::string last_part(std::string const& path) { return path.substr(path.rfind('/') + 1); }
PLATEAU_INLINE std::string parent(std::string const& path) {
    auto const at = path.rfind('/');
    return at == std::string::npos ? "." : at == 0 ? "/" : path.substr(0, at);
}
PLATEAU_INLINE bool is_there(std::string const& path) {
    std::error_code none;
    return std::filesystem::exists(path, none);
}
PLATEAU_INLINE bool is_folder(std::string const& path) {
    std::error_code none;
    return std::filesystem::is_directory(path, none);
}

}  // namespace plateau::io::detail
