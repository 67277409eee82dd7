#pragma once
/// Bodies of io/text_file.hpp.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/text_file.hpp>
#include <plateau/io/utf8.hpp>

namespace plateau::io {

PLATEAU_INLINE std::string_view without_byte_order_mark(std::string_view text, std::string const& where) {
    using namespace std::string_view_literals;
    auto const zero = [&](std::size_t i) { return text.size() > i && text[i] == '\0'; };
    char const* other = nullptr;
    if (text.starts_with("\xFF\xFE\0\0"sv) || text.starts_with("\0\0\xFE\xFF"sv)) other = "UTF-32";
    else if (text.starts_with("\xFF\xFE"sv) || text.starts_with("\xFE\xFF"sv)) other = "UTF-16";
    else if (zero(1) && !zero(0) && !zero(2) && zero(3)) other = "UTF-16LE";
    else if (zero(0) && !zero(1) && zero(2) && text.size() > 3 && !zero(3)) other = "UTF-16BE";
    if (other != nullptr) {
        throw file_error(where, ": the text is ", other, ", not UTF-8; convert it: iconv -f ", other, " -t UTF-8 '",
                         where, "' > utf8.txt");
    }
    return text.substr(text.starts_with("\xEF\xBB\xBF"sv) ? 3 : 0);
}

PLATEAU_INLINE std::string read_text_file(std::filesystem::path const& path) {
    mapped_file const file{path};
    auto const bytes = file.text();
    auto const text = without_byte_order_mark(bytes, path.string());
    if (auto const valid = valid_utf8_prefix(bytes); valid < bytes.size()) {
        auto const before = bytes.substr(0, valid);
        throw file_error(path.string(), ": line ", std::count(before.begin(), before.end(), '\n') + 1,
                         ": not UTF-8 at byte ", valid, " of the file, byte ", valid - (before.rfind('\n') + 1),
                         " of the line; convert the file to UTF-8");
    }
    std::string plain;
    plain.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        auto const end = std::min(text.find("\r\n", at), text.size());
        plain += text.substr(at, end - at);
        at = end < text.size() ? end + 1 : end;
    }
    return plain;
}

}  // namespace plateau::io
