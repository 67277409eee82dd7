#pragma once
/// Values of JSON, and typed access to fields with messages that name the key.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::io {

namespace detail {
class json_builder;
}

/// A value in a json_document, which it must not outlive. The values below an array or object follow it in memory.
class json {
public:
    enum class type : std::uint8_t { null, boolean, integer, natural, real, not_finite, string, array, object };

    json(json const&) = delete;  // would lose what follows
    json& operator=(json const&) = delete;
    json(json&&) noexcept = default;  // for the document as it grows
    json& operator=(json&&) noexcept = default;

    /// An integer is `integer` if it is an index, beyond that `natural`, beyond that `real`. `not_finite` are NaN,
    /// Infinity and -Infinity, which Python writes; they are no numbers to whoever asks for one.
    type kind() const { return kind_; }
    bool is_null() const { return kind_ == type::null; }
    bool is_object() const { return kind_ == type::object; }
    bool is_array() const { return kind_ == type::array; }
    bool is_string() const { return kind_ == type::string; }
    bool is_integer() const { return kind_ == type::integer || kind_ == type::natural; }
    bool is_number() const { return is_integer() || kind_ == type::real; }

    /// The key that it stands under. @pre it is a member of an object
    std::string_view key() const { return key_; }
    /// Elements, members, or bytes of a string; 0 for other kinds.
    std::size_t size() const { return size_; }
    /// True if it is null, or an array, object or string that holds nothing.
    bool empty() const { return size_ == 0 && (kind_ == type::null || kind_ >= type::string); }

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

/// A range of values: those in an array or object, in the order of the text, or one alone, or none.
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

    json_children() = default;
    explicit json_children(json const& of) : first_{&of + 1}, last_{&of + of.nodes_} {}
    static json_children alone(json const& value) {
        json_children one{value};
        one.first_ = &value;
        return one;
    }
    iterator begin() const { return iterator{first_}; }
    iterator end() const { return iterator{last_}; }

private:
    json const *first_ = nullptr, *last_ = nullptr;
};

/// A parsed JSON text, which parse_json makes. Moving it leaves its values where they are.
class json_document {
public:
    json const& root() const { return nodes_.front(); }

private:
    friend class detail::json_builder;

    std::vector<char> text_;  // strings lie in it, unescaped in place
    std::vector<json> nodes_;
};

/// The members of an object, each with its key(). @pre value.is_object()
inline json_children members_of(json const& value) { return json_children{value}; }

/// The elements of an array. @pre value.is_array()
inline json_children elements_of(json const& value) { return json_children{value}; }

/// Both elements of an array that has two; otherwise none.
std::pair<json const*, json const*> pair_of(json const& value);

/// The bytes of a string. @pre value.is_string()
inline std::string_view text_of(json const& value) { return {value.text_, value.size_}; }

/// The value of a key, null or not; nullptr if it is absent, or if `object` is none.
json const* find_member(json const& object, std::string_view key);

/// The value of a key; nullptr if it is absent or null.
json const* find_field(json const& object, std::string_view key);

/// True if a value is of kind T: index (a number without fraction or exponent, in range), double (any
/// number), bool or std::string.
template <class T>
bool json_is(json const& value) {
    if constexpr (std::is_same_v<T, index>) return value.kind() == json::type::integer;
    else if constexpr (std::is_same_v<T, double>) return value.is_number();
    else if constexpr (std::is_same_v<T, bool>) return value.kind() == json::type::boolean;
    else return value.is_string();
}

/// The value itself. @pre json_is<T>(value); for std::uint64_t: an integer that is not negative; double: also of a
/// not_finite one
template <class T>
T value_of(json const& value) {
    if constexpr (std::is_same_v<T, std::uint64_t>) {
        return value.natural_;
    } else if constexpr (std::is_same_v<T, index>) {
        return value.integer_;
    } else if constexpr (std::is_same_v<T, double>) {
        if (value.kind_ == json::type::real || value.kind_ == json::type::not_finite) return value.real_;
        return value.kind_ == json::type::integer ? static_cast<double>(value.integer_)
                                                  : static_cast<double>(value.natural_);
    } else if constexpr (std::is_same_v<T, bool>) {
        return value.boolean_;
    } else {
        return std::string{text_of(value)};
    }
}

namespace detail {

template <class T>
constexpr char const* expected_kind() {
    if constexpr (std::is_same_v<T, index>) return "an integer";
    else if constexpr (std::is_same_v<T, double>) return "a number";
    else if constexpr (std::is_same_v<T, bool>) return "true or false";
    else return "a string";
}

std::string wrong_kind(std::string const& where, std::string_view key, char const* expected, json const& found);

}  // namespace detail

/// The value of a key, or nothing if it is absent or null; T as in json_is.
/// @throws Error naming `where`, the key, what is expected and what was found
template <class T, class Error = config_error>
std::optional<T> optional_field(json const& object, std::string_view key, std::string const& where) {
    json const* const value = find_field(object, key);
    if (value == nullptr) return std::nullopt;
    if (!json_is<T>(*value)) {
        throw Error(detail::wrong_kind(where, key, detail::expected_kind<T>(), *value));
    }
    return value_of<T>(*value);
}

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
json const& object_field(json const& object, std::string_view key, std::string const& where) {
    json const* const value = find_field(object, key);
    if (value == nullptr) throw Error(where, ": the key \"", key, "\" is missing");
    if (!value->is_object()) throw Error(detail::wrong_kind(where, key, "an object", *value));
    return *value;
}

/// A number as Python writes JSON, true or false.
std::string scalar_text(json const& value);

/// "the string \"abc\"", "the number 1.5", "an array", for messages.
std::string describe(json const& value);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/json.ipp>
#endif
