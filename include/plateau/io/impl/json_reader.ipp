#pragma once
/// Bodies of io/json_reader.hpp.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <rapidjson/reader.h>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/order.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/text_file.hpp>

namespace plateau::io {

namespace detail {

PLATEAU_INLINE char const* problem_text(rapidjson::ParseErrorCode code) {
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

/// Zero bytes behind the text: the first ends it, and the reader takes all four bytes of a character before it looks at
/// whether they are one.
inline constexpr std::size_t after_text = 4;

/// Builds the document from the reader's events and refuses what would be unsafe or ambiguous to build.
class json_builder {
public:
    explicit json_builder(std::string_view text) {
        document_.text_ = std::vector<char>(text.size() + after_text);
        text.copy(document_.text_.data(), text.size());
    }

    json_document read(std::string const& where);

    // Events of the reader.
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

PLATEAU_INLINE bool json_builder::RawNumber(char const* text, unsigned size, bool) {
    char const* const end = text + size;
    json& added = *add(json::type::integer);
    std::string_view const number{text, size};
    if (end[-1] > '9') {  // in words: those of Python's json; the reader knows others too
        added.kind_ = json::type::not_finite;
        std::from_chars(text, end, added.real_);
        if (number != "NaN" && number != "Infinity" && number != "-Infinity")
            problem_ = problem_text(rapidjson::kParseErrorValueInvalid);
        return problem_.empty();
    }
    if (number.find_first_of(".eE") == std::string_view::npos) {
        if (std::from_chars(text, end, added.integer_).ec == std::errc{}) return true;
        added.kind_ = json::type::natural;
        if (*text != '-' && std::from_chars(text, end, added.natural_).ec == std::errc{}) return true;
    }
    added.kind_ = json::type::real;
    if (std::from_chars(text, end, added.real_).ec != std::errc{})
        problem_ = problem_text(rapidjson::kParseErrorNumberTooBig);
    return problem_.empty();
}

PLATEAU_INLINE bool json_builder::require_distinct_keys(json const* object) {
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

PLATEAU_INLINE json_document json_builder::read(std::string const& where) {
    std::size_t const size = document_.text_.size() - after_text;
    rapidjson::InsituStringStream stream{document_.text_.data()};
    rapidjson::Reader reader;
    using namespace rapidjson;
    constexpr unsigned how =
        kParseInsituFlag | kParseValidateEncodingFlag | kParseNumbersAsStringsFlag | kParseNanAndInfFlag;
    reader.Parse<how>(stream, *this);
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

}  // namespace detail

PLATEAU_INLINE json_document parse_json(std::string_view text, std::string const& where) {
    return detail::json_builder{without_byte_order_mark(text, where)}.read(where);
}

}  // namespace plateau::io
