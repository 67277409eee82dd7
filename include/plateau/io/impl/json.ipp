#pragma once
/// Bodies of io/json.hpp.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io {

PLATEAU_INLINE std::pair<json const*, json const*> pair_of(json const& value) {
    if (!value.is_array() || value.size() != 2) return {};
    auto at = elements_of(value).begin();
    json const& first = *at;
    return {&first, &*++at};
}

PLATEAU_INLINE json const* find_member(json const& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    for (json const& member : members_of(object)) {
        if (member.key() == key) return &member;
    }
    return nullptr;
}

PLATEAU_INLINE json const* find_field(json const& object, std::string_view key) {
    json const* const value = find_member(object, key);
    return value == nullptr || value->is_null() ? nullptr : value;
}

PLATEAU_INLINE std::string scalar_text(json const& value) {
    if (json_is<bool>(value)) return value_of<bool>(value) ? "true" : "false";
    if (json_is<index>(value)) return concat({value_of<index>(value)});
    if (value.kind() == json::type::natural) return concat({value_of<std::uint64_t>(value)});
    auto const number = value_of<double>(value);
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    double const size = std::abs(number);
    bool const plain = size == 0 || (size >= 1e-4 && size < 1e15);
    char buffer[32];
    auto const format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr);
    if (plain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

PLATEAU_INLINE std::string describe(json const& value) {
    if (value.is_null()) return "null";
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    if (value.is_string()) return concat({"the string ", printable(text_of(value))});
    return json_is<bool>(value) || value.kind() == json::type::not_finite ? scalar_text(value)
                                                                          : concat({"the number ", scalar_text(value)});
}

namespace detail {

PLATEAU_INLINE std::string wrong_kind(std::string const& where, std::string_view key, char const* expected,
                                      json const& found) {
    return concat({where, ": \"", key, "\" must be ", expected, ", found ", describe(found)});
}

}  // namespace detail

}  // namespace plateau::io
