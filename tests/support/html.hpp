#pragma once
/// What tests ask of a page: whether its tags nest, what its attributes say, and the data in it.

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plateau::testing {

/// The first fault of an HTML text: a tag that is not closed, or closes another, an attribute without quotes, a < or &
/// that is none. Empty if there is none. Elements whose end tag HTML lets one leave out have to have it here.
inline std::string fault_of_html(std::string_view text) {
    static constexpr std::array voids{"meta", "img", "br", "link", "input", "hr"};
    std::vector<std::string> open;
    for (std::size_t at = text.find("<html"); at < text.size();) {
        auto const here = std::string(text.substr(at, 60));
        if (text[at] == '&') {
            auto const end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz#0123456789", at + 1);
            if (end == std::string_view::npos || text[end] != ';') return "no entity: " + here;
        }
        if (text[at] != '<') {
            ++at;
            continue;
        }
        bool const closes = text.substr(at, 2) == "</";
        auto const from = at + (closes ? 2 : 1), to = text.find_first_of(" \n>", from);
        std::string const name{text.substr(from, to - from)};
        if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyz123456") != std::string::npos)
            return "no tag: " + here;
        for (at = to; at < text.size() && text[at] != '>'; ++at) {
            if (text[at] != '"') continue;
            at = text.find('"', at + 1);
            if (at == std::string_view::npos) return "an open quote: " + here;
        }
        if (at++ >= text.size()) return "an open tag: " + here;
        if (closes) {
            if (open.empty() || open.back() != name) return "closes what is not open: " + here;
            open.pop_back();
        } else if (std::find(voids.begin(), voids.end(), name) == voids.end()) {
            open.push_back(name);
            if (name != "script" && name != "style") continue;
            at = text.find("</" + name, at);  // no markup in between
            if (at == std::string_view::npos) return "without an end: " + here;
        }
    }
    return open.empty() ? "" : "never closed: " + open.back();
}

/// The values of an attribute, in their order.
inline std::vector<std::string> attributes_of(std::string_view text, std::string const& name) {
    std::vector<std::string> values;
    auto const key = " " + name + "=\"";
    for (auto at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        auto const from = at + key.size();
        values.emplace_back(text.substr(from, text.find('"', from) - from));
    }
    return values;
}

/// Texts of <script type="application/json">.
inline std::vector<std::string> data_of(std::string_view text) {
    std::vector<std::string> all;
    std::string_view const tag = "<script type=\"application/json\">";
    for (auto at = text.find(tag); at != std::string_view::npos; at = text.find(tag, at + 1)) {
        auto const from = at + tag.size();
        all.emplace_back(text.substr(from, text.find("</script", from) - from));
    }
    return all;
}

/// Whether anything of a page would be fetched: everything it names has to be in it.
inline bool asks_for_more(std::string_view text) {
    for (auto const* name : {"src", "href", "srcset", "action", "data", "poster"}) {
        for (auto const& value : attributes_of(text, name)) {
            if (!value.starts_with("data:")) return true;
        }
    }
    return text.find("@import") != std::string_view::npos || text.find("url(") != std::string_view::npos;
}

}  // namespace plateau::testing
