#pragma once
/// JSON from untrusted files, and typed access with messages that name the key. The only header that
/// includes the library that reads it: RapidJSON, of which the reader of events alone compiles in half a second.

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include <rapidjson/reader.h>

#include <plateau/core/error.hpp>
#include <plateau/core/order.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/printable.hpp>

namespace plateau::io {

namespace detail {
class json_builder;
}

/// A value in a json_document, which it must not outlive. The values below an array or object follow it in memory.
class json {
public:
    enum class type : std::uint8_t { null, boolean, integer, natural, real, string, array, object };

    json(json const&) = delete;  // would lose what follows
    json& operator=(json const&) = delete;
    json(json&&) noexcept = default;  // for the document as it grows
    json& operator=(json&&) noexcept = default;

    /// An integer is `integer` if it is an index, beyond that `natural`, beyond that `real`.
    type kind() const { return kind_; }
    bool is_null() const { return kind_ == type::null; }
    bool is_object() const { return kind_ == type::object; }
    bool is_array() const { return kind_ == type::array; }
    bool is_string() const { return kind_ == type::string; }
    bool is_integer() const { return kind_ == type::integer || kind_ == type::natural; }
    bool is_number() const { return is_integer() || kind_ == type::real; }

    /// Under which key it stands. @pre it is a member of an object
    std::string_view key() const { return key_; }
    /// Elements, members, or bytes of a string; 0 for other kinds.
    std::size_t size() const { return size_; }
    /// Whether it is null, or an array, object or string that holds nothing.
    bool empty() const { return size_ == 0 && !is_number() && kind_ != type::boolean; }

private:
    friend class detail::json_builder;
    friend class json_children;
    template <class T>
    friend T value_of(json const&);
    friend std::string_view text_of(json const&);

    explicit json(type kind) : kind_{kind} {}

    union {
        std::uint64_t natural_ = 0;
        index integer_;
        double real_;
        bool boolean_;
        char const* text_;
    };
    std::string_view key_ = {};
    std::size_t size_ = 0;
    std::size_t nodes_ = 1;  // it and all below it
    type kind_ = type::null;
};

/// What an array or object holds, in the order of the text.
class json_children {
public:
    class iterator {
    public:
        explicit iterator(json const* at) : at_{at} {}
        json const& operator*() const { return *at_; }
        iterator& operator++() {
            at_ += at_->nodes_;
            return *this;
        }
        bool operator==(iterator const&) const = default;

    private:
        json const* at_;
    };

    explicit json_children(json const& of) : of_{&of} {}
    iterator begin() const { return iterator{of_ + 1}; }
    iterator end() const { return iterator{of_ + of_->nodes_}; }

private:
    json const* of_;
};

/// A text that was read. Moving it leaves its values where they are.
class json_document {
public:
    json const& root() const { return nodes_.front(); }

private:
    friend class detail::json_builder;

    std::vector<char> text_;  // strings lie in it, unescaped in place
    std::vector<json> nodes_;
};

/// Values may be nested this deep; more is refused before it can exhaust the stack.
inline constexpr std::size_t json_depth_limit = 128;

/// Parses one JSON text (RFC 8259, UTF-8, no comments).
/// @param where  the file, for messages
/// @throws file_error with `where` and the byte offset: not JSON, not UTF-8, an object with a repeated
///         key, nested deeper than json_depth_limit, a number beyond double
json_document parse_json(std::string_view text, std::string const& where);

/// The members of an object, each with its key(). @pre value.is_object()
inline json_children members_of(json const& value) { return json_children{value}; }

/// The elements of an array. @pre value.is_array()
inline json_children elements_of(json const& value) { return json_children{value}; }

/// Both elements of an array that has two; otherwise none.
[[gnu::cold]] inline std::pair<json const*, json const*> pair_of(json const& value) {
    if (!value.is_array() || value.size() != 2) return {};
    auto at = elements_of(value).begin();
    json const& first = *at;
    return {&first, &*++at};
}

/// The bytes of a string. @pre value.is_string()
inline std::string_view text_of(json const& value) { return {value.text_, value.size_}; }

/// The value of a key, null or not; nullptr if it is absent, or if `object` is none.
[[gnu::cold]] inline json const* find_member(json const& object, std::string_view key) {
    if (!object.is_object()) return nullptr;
    for (json const& member : members_of(object)) {
        if (member.key() == key) return &member;
    }
    return nullptr;
}

/// The value of a key; nullptr if it is absent or null.
inline json const* find_field(json const& object, std::string_view key) {
    json const* const value = find_member(object, key);
    return value == nullptr || value->is_null() ? nullptr : value;
}

/// Whether a value is of kind T: index (a number without fraction or exponent, in range), double (any
/// number), bool or std::string.
template <class T>
bool json_is(json const& value) {
    if constexpr (std::is_same_v<T, index>) return value.kind() == json::type::integer;
    else if constexpr (std::is_same_v<T, double>) return value.is_number();
    else if constexpr (std::is_same_v<T, bool>) return value.kind() == json::type::boolean;
    else return value.is_string();
}

/// The value itself. @pre json_is<T>(value); for std::uint64_t: an integer that is not negative
template <class T>
T value_of(json const& value) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
        return value.natural_;
    } else if constexpr (std::is_same_v<T, index>) {
        return value.integer_;
    } else if constexpr (std::is_same_v<T, double>) {
        if (value.kind_ == json::type::real) return value.real_;
        return value.kind_ == json::type::integer ? static_cast<double>(value.integer_)
                                                  : static_cast<double>(value.natural_);
    } else if constexpr (std::is_same_v<T, bool>) {
        return value.boolean_;
    } else {
        return std::string{text_of(value)};
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
    throw Error(where, ": the key \"", key, "\" is missing");
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
    return json_is<bool>(value) ? scalar_text(value) : concat({"the number ", scalar_text(value)});
}

namespace detail {

[[gnu::cold]] inline char const* problem_text(rapidjson::ParseErrorCode code) {
    switch (code) {
        case rapidjson::kParseErrorDocumentEmpty: return "it is empty";
        case rapidjson::kParseErrorDocumentRootNotSingular: return "something follows the value";
        case rapidjson::kParseErrorObjectMissName: return "a key in double quotes is missing";
        case rapidjson::kParseErrorObjectMissColon: return "a colon is missing after a key";
        case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket: return "a comma or '}' is missing";
        case rapidjson::kParseErrorArrayMissCommaOrSquareBracket: return "a comma or ']' is missing";
        case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
        case rapidjson::kParseErrorStringEscapeInvalid: return "no such escape in a string";
        case rapidjson::kParseErrorStringUnicodeSurrogateInvalid: return "half of a surrogate pair in a string";
        case rapidjson::kParseErrorStringMissQuotationMark: return "a string does not end";
        case rapidjson::kParseErrorStringInvalidEncoding: return "a string is not UTF-8";
        case rapidjson::kParseErrorNumberTooBig: return "a number overflows a double, or is too small for it";
        default: return "no JSON value";
    }
}

/// Builds the document from the reader's events and refuses what would be unsafe or ambiguous to build.
class json_builder {
public:
    explicit json_builder(std::string_view text) {
        document_.text_.reserve(text.size() + 1);
        document_.text_.assign(text.begin(), text.end());
        document_.text_.push_back('\0');
    }

    json_document read(std::string const& where);

    // What the reader calls.
    bool Null() { return add(json::type::null) != nullptr; }
    bool Bool(bool value) { return add(json::type::boolean)->boolean_ = value, true; }
    bool RawNumber(char const* text, unsigned size, bool);
    bool Int(int) { return false; }  // this and the next four: numbers come as text
    bool Uint(unsigned) { return false; }
    bool Int64(std::int64_t) { return false; }
    bool Uint64(std::uint64_t) { return false; }
    bool Double(double) { return false; }
    bool String(char const* text, unsigned size, bool) {
        json& added = *add(json::type::string);
        added.text_ = text;
        added.size_ = size;
        return require_pairs({text, size});
    }
    bool Key(char const* text, unsigned size, bool) {
        key_ = {text, size};
        return require_pairs(key_);
    }
    bool StartObject() { return open(json::type::object); }
    bool StartArray() { return open(json::type::array); }
    bool EndObject(unsigned size) { return require_distinct_keys(close(size)); }
    bool EndArray(unsigned size) { return close(size) != nullptr; }

private:
    json* add(json::type kind) {
        json& added = document_.nodes_.emplace_back(json{kind});
        added.key_ = std::exchange(key_, {});
        return &added;
    }
    bool open(json::type kind) {
        if (open_.size() >= json_depth_limit) problem_ = concat({"nested deeper than ", json_depth_limit, " levels"});
        open_.push_back(document_.nodes_.size());
        add(kind);
        return problem_.empty();
    }
    json const* close(std::size_t size) {
        json& closed = document_.nodes_[open_.back()];
        closed.size_ = size;
        closed.nodes_ = document_.nodes_.size() - open_.back();
        open_.pop_back();
        return &closed;
    }

    bool require_distinct_keys(json const* object);
    /// The reader passes "\\udc00" on as half of a pair; bytes of the file that spell one it refuses itself.
    bool require_pairs(std::string_view text) {
        for (auto at = text.find('\xED'); at != text.npos; at = text.find('\xED', at + 1)) {
            if (static_cast<unsigned char>(text[at + 1]) >= 0xA0)
                problem_ = problem_text(rapidjson::kParseErrorStringUnicodeSurrogateInvalid);
        }
        return problem_.empty();
    }

    json_document document_ = {};
    std::vector<std::size_t> open_ = {};  // the arrays and objects that have begun
    std::string_view key_ = {};
    std::string problem_ = {};
    std::size_t position_ = 0;  // of a problem that shows later than it was read
};

[[gnu::cold]] inline bool json_builder::RawNumber(char const* text, unsigned size, bool) {
    char const* const end = text + size;
    json& added = *add(json::type::integer);
    if (std::string_view{text, size}.find_first_of(".eE") == std::string_view::npos) {
        if (std::from_chars(text, end, added.integer_).ec == std::errc{}) return true;
        added.kind_ = json::type::natural;
        if (*text != '-' && std::from_chars(text, end, added.natural_).ec == std::errc{}) return true;
    }
    added.kind_ = json::type::real;
    if (std::from_chars(text, end, added.real_).ec != std::errc{})
        problem_ = problem_text(rapidjson::kParseErrorNumberTooBig);
    return problem_.empty();
}

[[gnu::cold]] inline bool json_builder::require_distinct_keys(json const* object) {
    std::vector<std::string_view> names;
    std::vector<std::uint64_t> hashes;
    for (json const& member : members_of(*object)) {
        names.push_back(member.key());
        hashes.push_back(std::hash<std::string_view>{}(member.key()));
    }
    auto const order = order_by(hashes);
    for (std::size_t i = 0; i < order.size(); ++i) {
        for (std::size_t j = i + 1; j < order.size() && hashes[order[j]] == hashes[order[i]]; ++j) {
            auto const first = names[order[i]], second = names[order[j]];
            if (first != second) continue;
            problem_ = concat({"the key ", printable(second), " occurs twice"});
            position_ = static_cast<std::size_t>(second.data() - document_.text_.data()) + second.size() + 1;
        }
    }
    return problem_.empty();
}

[[gnu::cold]] inline json_document json_builder::read(std::string const& where) {
    std::size_t const size = document_.text_.size() - 1;
    rapidjson::InsituStringStream stream{document_.text_.data()};
    rapidjson::Reader reader;
    using namespace rapidjson;
    reader.Parse<kParseInsituFlag | kParseValidateEncodingFlag | kParseNumbersAsStringsFlag>(stream, *this);
    if (!problem_.empty()) {
        if (position_ == 0) position_ = reader.GetErrorOffset();
    } else if (reader.HasParseError()) {
        problem_ = problem_text(reader.GetParseErrorCode());
        position_ = reader.GetErrorOffset() + 1;
    } else if (stream.Tell() < size) {  // to the reader a zero byte is the end
        problem_ = problem_text(kParseErrorDocumentRootNotSingular);
        position_ = stream.Tell() + 1;
    }
    if (!problem_.empty()) throw file_error(where, ": not usable JSON near byte ", position_, ": ", problem_);
    return std::move(document_);
}

template <class T>
constexpr char const* expected_kind() {
    if constexpr (std::is_same_v<T, index>) return "an integer";
    else if constexpr (std::is_same_v<T, double>) return "a number";
    else if constexpr (std::is_same_v<T, bool>) return "true or false";
    else return "a string";
}

[[gnu::cold]] inline std::string wrong_kind(std::string const& where, std::string_view key, char const* expected,
                                            json const& found) {
    return concat({where, ": \"", key, "\" must be ", expected, ", found ", describe(found)});
}

}  // namespace detail

[[gnu::cold]] inline std::string scalar_text(json const& value) {
    if (json_is<bool>(value)) return value_of<bool>(value) ? "true" : "false";
    if (json_is<index>(value)) return concat({value_of<index>(value)});
    if (value.kind() == json::type::natural) return concat({value_of<std::uint64_t>(value)});
    auto const number = value_of<double>(value);
    double const size = std::abs(number);
    bool const plain = size == 0 || (size >= 1e-4 && size < 1e15);
    char buffer[32];
    auto const format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    std::string text(buffer, std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr);
    if (plain && text.find('.') == std::string::npos) text += ".0";
    return text;
}

inline json_document parse_json(std::string_view text, std::string const& where) {
    return detail::json_builder{text}.read(where);
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
    if (value == nullptr) throw Error(where, ": the key \"", key, "\" is missing");
    if (!value->is_object()) throw Error(detail::wrong_kind(where, key, "an object", *value));
    return *value;
}

}  // namespace plateau::io
