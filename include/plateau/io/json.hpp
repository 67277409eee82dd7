#pragma once
/// JSON from untrusted files, and typed access with messages that name the key. The only header that
/// includes the JSON library.

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io {

using json = nlohmann::json;                  ///< objects iterate in the order of their keys
using ordered_json = nlohmann::ordered_json;  ///< objects keep the order of insertion; for writing

/// Values may be nested this deep; more is refused before it can exhaust the stack.
inline constexpr std::size_t json_depth_limit = 128;

/// Parses one JSON text (RFC 8259, UTF-8, no comments).
/// @param where  the file, for messages
/// @throws file_error with `where` and the byte offset: not JSON, not UTF-8, an object with a repeated
///         key, nested deeper than json_depth_limit, a number beyond double
json parse_json(std::string_view text, std::string const& where);

/// The text of a value with two spaces of indentation and a final newline. Doubles are written with the
/// fewest digits that give back the same bits; NaN and infinities become null.
template <class Json>
std::string json_text(Json const& value) {
    return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// The key-value pairs of an object. @pre value.is_object()
inline json::object_t const& members_of(json const& value) { return *value.get_ptr<json::object_t const*>(); }

/// The elements of an array. @pre value.is_array()
inline json::array_t const& elements_of(json const& value) { return *value.get_ptr<json::array_t const*>(); }

/// The bytes of a string. @pre value.is_string()
inline std::string const& text_of(json const& value) { return *value.get_ptr<std::string const*>(); }

/// The value of a key, null or not; nullptr if it is absent, or if `object` is none.
inline json const* find_member(json const& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    auto const at = members_of(object).find(key);
    return at == members_of(object).end() ? nullptr : &at->second;
}

/// The value of a key; nullptr if it is absent or null.
inline json const* find_field(json const& object, std::string_view key) {
    json const* const value = find_member(object, key);
    return value == nullptr || value->is_null() ? nullptr : value;
}

/// Whether a value is of kind T: index (a number without fraction or exponent, in range), double (any
/// number), bool, std::string, or json itself (an object).
template <class T>
bool json_is(json const& value) {
    static_assert(std::is_same_v<T, index> || std::is_same_v<T, double> || std::is_same_v<T, bool> ||
                  std::is_same_v<T, std::string> || std::is_same_v<T, json>);
    if constexpr (std::is_same_v<T, index>) {
        if (!value.is_number_unsigned()) return value.is_number_integer();
        constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<index>::max());
        return *value.get_ptr<json::number_unsigned_t const*>() <= most;
    } else if constexpr (std::is_same_v<T, double>) {
        return value.is_number();
    } else if constexpr (std::is_same_v<T, bool>) {
        return value.is_boolean();
    } else if constexpr (std::is_same_v<T, std::string>) {
        return value.is_string();
    } else {
        return value.is_object();
    }
}

/// The value itself. @pre json_is<T>(value)
template <class T>
T value_of(json const& value) {
    if constexpr (std::is_same_v<T, index>) {
        if (auto const* natural = value.get_ptr<json::number_unsigned_t const*>()) return static_cast<index>(*natural);
        return *value.get_ptr<json::number_integer_t const*>();
    } else if constexpr (std::is_same_v<T, double>) {
        if (auto const* real = value.get_ptr<json::number_float_t const*>()) return *real;
        if (auto const* natural = value.get_ptr<json::number_unsigned_t const*>()) return static_cast<double>(*natural);
        return static_cast<double>(*value.get_ptr<json::number_integer_t const*>());
    } else if constexpr (std::is_same_v<T, bool>) {
        return *value.get_ptr<json::boolean_t const*>();
    } else if constexpr (std::is_same_v<T, std::string>) {
        return text_of(value);
    } else {
        return value;
    }
}

/// The value of a key, or nothing if it is absent or null; T as in json_is.
/// @throws Error naming `where`, the key, what is expected and what was found
template <class T, class Error = config_error>
std::optional<T> optional_field(json const& object, std::string_view key, std::string const& where);

/// As optional_field, with a value for the case that there is none.
template <class T, class Error = config_error>
T field_or(json const& object, std::string_view key, T fallback, std::string const& where) {
    return optional_field<T, Error>(object, key, where).value_or(std::move(fallback));
}

/// As optional_field; @throws Error also if there is no value.
template <class T, class Error = config_error>
T field(json const& object, std::string_view key, std::string const& where) {
    if (auto value = optional_field<T, Error>(object, key, where)) return *std::move(value);
    throw Error{where, ": the key \"", key, "\" is missing"};
}

/// The object that is the value of a key, without a copy. @throws Error if there is none
template <class Error = config_error>
json const& object_field(json const& object, std::string_view key, std::string const& where);

/// A number as JSON, true or false.
std::string scalar_text(json const& value);

/// "the string \"abc\"", "the number 1.5", "an array", for messages.
[[gnu::cold]] inline std::string describe(json const& value) {
    if (value.is_null()) return "null";
    if (value.is_object()) return "an object";
    if (value.is_array()) return "an array";
    if (value.is_string()) return concat({"the string ", printable(text_of(value))});
    return value.is_boolean() ? scalar_text(value) : concat({"the number ", scalar_text(value)});
}

namespace detail {

/// Walks the text and leaves the place where it stands, so that errors can name it.
struct counting_iterator {
    using iterator_category = std::input_iterator_tag;
    using value_type = char;
    using difference_type = std::ptrdiff_t;
    using pointer = char const*;
    using reference = char const&;

    char const* at;
    char const** last;

    reference operator*() const { return *at; }
    counting_iterator& operator++() {
        *last = ++at;
        return *this;
    }
    counting_iterator operator++(int) {
        auto const before = *this;
        ++*this;
        return before;
    }
    bool operator==(counting_iterator const& other) const { return at == other.at; }
    bool operator!=(counting_iterator const& other) const { return at != other.at; }
};

/// Builds the value from the parser's events and refuses what would be unsafe or ambiguous to build.
class json_builder {
public:
    json root;
    std::string problem;
    std::size_t position = 0;  // of a problem that the parser found; 0 if found here

    bool null() { return add(json(nullptr)); }
    bool boolean(bool value) { return add(json(value)); }
    bool number_integer(json::number_integer_t value) { return add(json(value)); }
    bool number_unsigned(json::number_unsigned_t value) { return add(json(value)); }
    bool number_float(json::number_float_t value, std::string const&) { return add(json(value)); }
    bool string(std::string& value) { return add(json(std::move(value))); }
    bool binary(json::binary_t&) { return false; }
    bool start_object(std::size_t) { return open(json(json::value_t::object)); }
    bool start_array(std::size_t) { return open(json(json::value_t::array)); }
    bool end_object() { return close(); }
    bool end_array() { return close(); }

    bool key(std::string& name) {
        auto [at, fresh] = stack_.back()->get_ptr<json::object_t*>()->try_emplace(name, nullptr);
        if (!fresh) {
            problem = concat({"the key ", printable(name), " occurs twice"});
        }
        member_ = &at->second;
        return fresh;
    }

    bool parse_error(std::size_t at, std::string const&, nlohmann::detail::exception const& reason) {
        position = at;
        problem = reason.what();
        if (auto const end = problem.find("] "); problem.starts_with("[json.") && end != std::string::npos) {
            problem.erase(0, end + 2);
        }
        for (char& c : problem) {
            if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) c = '?';
        }
        if (problem.size() > 200) problem = concat({problem.substr(0, 200), "..."});
        return false;
    }

private:
    json* place(json&& value) {
        if (stack_.empty()) return &(root = std::move(value));
        if (stack_.back()->is_array()) return &stack_.back()->get_ptr<json::array_t*>()->emplace_back(std::move(value));
        return &(*member_ = std::move(value));
    }
    bool add(json&& value) { return place(std::move(value)) != nullptr; }
    bool open(json&& value) {
        if (stack_.size() >= json_depth_limit) {
            problem = concat({"nested deeper than ", json_depth_limit, " levels"});
            return false;
        }
        // An open array does not grow while a child is open, so the pointers on the stack stay valid.
        stack_.push_back(place(std::move(value)));
        return true;
    }
    bool close() {
        stack_.pop_back();
        return true;
    }

    std::vector<json*> stack_;
    json* member_ = nullptr;
};

template <class T>
constexpr char const* expected_kind() {
    if constexpr (std::is_same_v<T, index>) return "an integer";
    else if constexpr (std::is_same_v<T, double>) return "a number";
    else if constexpr (std::is_same_v<T, bool>) return "true or false";
    else if constexpr (std::is_same_v<T, std::string>) return "a string";
    else return "an object";
}

[[gnu::cold]] inline std::string wrong_kind(std::string const& where, std::string_view key, char const* expected,
                                            json const& found) {
    return concat({where, ": \"", key, "\" must be ", expected, ", found ", describe(found)});
}

}  // namespace detail

// Not json::dump: it would bring the serializer of all of JSON into every program that reads a file.

[[gnu::cold]] inline std::string scalar_text(json const& value) {
    if (value.is_boolean()) return value_of<bool>(value) ? "true" : "false";
    if (value.is_number_unsigned()) return concat({*value.get_ptr<json::number_unsigned_t const*>()});
    if (value.is_number_integer()) return concat({value_of<index>(value)});
    auto const number = value_of<double>(value);
    double const size = std::abs(number);
    bool const plain = size == 0 || (size >= 1e-4 && size < 1e15);
    char buffer[32];
    auto const format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr);
    if (plain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

inline json parse_json(std::string_view text, std::string const& where) {
    detail::json_builder builder;
    char const* last = text.data();
    detail::counting_iterator const begin{text.data(), &last}, end{text.data() + text.size(), &last};
    // json::sax_parse would do the same, and compile the readers of five binary formats into every user's program
    auto adapter = nlohmann::detail::input_adapter(begin, end);
    if (!nlohmann::detail::parser<json, decltype(adapter)>{std::move(adapter)}.sax_parse(&builder)) {
        auto const here = static_cast<std::size_t>(last - text.data());
        throw file_error{where, ": not usable JSON near byte ", builder.position > 0 ? builder.position : here, ": ",
                         builder.problem};
    }
    return std::move(builder.root);
}

template <class T, class Error>
std::optional<T> optional_field(json const& object, std::string_view key, std::string const& where) {
    json const* const value = find_field(object, key);
    if (value == nullptr) return std::nullopt;
    if (!json_is<T>(*value)) {
        throw Error(detail::wrong_kind(where, key, detail::expected_kind<T>(), *value));
    }
    return value_of<T>(*value);
}

template <class Error>
json const& object_field(json const& object, std::string_view key, std::string const& where) {
    json const* const value = find_field(object, key);
    if (value == nullptr) throw Error{where, ": the key \"", key, "\" is missing"};
    if (!value->is_object()) throw Error(detail::wrong_kind(where, key, "an object", *value));
    return *value;
}

}  // namespace plateau::io
