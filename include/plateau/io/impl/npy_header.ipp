#pragma once
/// Bodies of io/npy_header.hpp.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/npy_header.hpp>
#include <plateau/io/tensor_info.hpp>

namespace plateau::io {

namespace detail {

inline constexpr std::string_view npy_magic{"\x93NUMPY", 6};

inline constexpr std::size_t npy_header_limit = 1 << 20;

inline constexpr std::size_t npy_most_axes = 64;

/// Reads the literal {'descr': ..., 'fortran_order': ..., 'shape': ...}.
class npy_literal {
public:
    npy_literal(std::string_view text, std::string const& where) : text_{text}, where_{where} {}

    npy_header parse() {
        npy_header header;
        bool has_descr = false, has_order = false, has_shape = false;
        expect('{');
        while (!accept('}')) {
            std::string const key = parse_string();
            expect(':');
            if (key == "descr" && !has_descr) {
                if (peek() == '[') fail("it holds a structured type; save one plain array");
                header.descr = parse_string();
                has_descr = true;
            } else if (key == "fortran_order" && !has_order) {
                header.fortran_order = parse_bool();
                has_order = true;
            } else if (key == "shape" && !has_shape) {
                header.shape = parse_shape();
                has_shape = true;
            } else {
                fail("its header has an unknown or repeated key");
            }
            if (peek() != '}') expect(',');
        }
        if (!has_descr || !has_order || !has_shape) fail("its header lacks descr, fortran_order or shape");
        if (peek() != '\0') fail("its header has text after the dict");
        return header;
    }

    [[noreturn]] void fail(std::string_view what) const {
        throw file_error(where_, ": not a usable NPY array: ", what);
    }

private:
    char peek() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
        return at_ < text_.size() ? text_[at_] : '\0';
    }
    bool accept(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void expect(char c) {
        if (!accept(c)) fail(concat({"its header is malformed, expected '", std::string_view(&c, 1), "'"}));
    }
    std::string parse_string() {
        char const quote = peek();
        if (quote != '\'' && quote != '"') fail("its header is malformed, expected a string");
        std::size_t const end = text_.find(quote, ++at_);
        if (end == std::string_view::npos) fail("its header ends within a string");
        std::string const value{text_.substr(at_, end - at_)};
        at_ = end + 1;
        return value;
    }
    bool parse_bool() {
        peek();
        for (bool value : {true, false}) {
            std::string_view const word = value ? "True" : "False";
            if (!text_.substr(at_).starts_with(word)) continue;
            at_ += word.size();
            return value;
        }
        fail("its header is malformed, expected True or False");
    }
    std::vector<index> parse_shape() {
        std::vector<index> shape;
        expect('(');
        while (!accept(')')) {
            if (shape.size() == npy_most_axes) fail("it has more than 64 axes");
            shape.push_back(parse_extent());
            if (peek() != ')') expect(',');
        }
        return shape;
    }
    index parse_extent() {
        if (peek() < '0' || peek() > '9') fail("its shape is malformed or negative");
        index extent = 0;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
            index const digit = text_[at_] - '0';
            if (extent > (std::numeric_limits<index>::max() - digit) / 10) fail("its shape overflows");
            extent = extent * 10 + digit;
        }
        if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote long integers so
        return extent;
    }

    std::string_view text_;
    std::string const& where_;
    std::size_t at_ = 0;
};

PLATEAU_INLINE void check_npy_header(npy_header& header, npy_literal const& literal) {
    if (header.descr.starts_with('>')) {
        literal.fail(concat(
            {"it is big-endian (", header.descr, "); save it with array.astype(array.dtype.newbyteorder('<'))"}));
    }
    header.item_bytes = npy_item_bytes(header.descr);
    if (header.item_bytes == 0) {
        std::string shown = header.descr.substr(0, 20);
        for (char& c : shown) c = std::isprint(static_cast<unsigned char>(c)) ? c : '?';
        literal.fail(
            concat({"its element type '", shown, "' is not supported; save integers, float16, float32 or float64"}));
    }
    index bytes = static_cast<index>(header.item_bytes);
    for (index extent : header.shape) {
        if (extent > 0 && bytes > std::numeric_limits<index>::max() / extent) {
            literal.fail(concat({"its shape ", to_string(header.shape), " overflows"}));
        }
        bytes *= extent;
    }
}

}  // namespace detail

PLATEAU_INLINE npy_header parse_npy_header(std::span<std::byte const> bytes, std::string const& where) {
    std::string_view const text{reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    auto const cut = [&] { return file_error(where + ": the NPY array is cut within its header; write it again"); };
    if (!text.starts_with(
            detail::npy_magic.substr(0, std::max<std::size_t>(1, std::min<std::size_t>(text.size(), 6))))) {
        throw file_error(where, ": not an NPY array; save it with numpy.save");
    }
    if (text.size() < 10) throw cut();
    unsigned const version = static_cast<unsigned char>(text[6]);
    if (version < 1 || version > 3) throw file_error(where, ": NPY version ", version, " is unknown");
    std::size_t const length_bytes = version == 1 ? 2 : 4;
    if (text.size() < 8 + length_bytes) throw cut();
    std::size_t length = 0;
    for (std::size_t i = length_bytes; i-- > 0;) length = length << 8 | static_cast<unsigned char>(text[8 + i]);
    if (length > detail::npy_header_limit) throw file_error(where, ": the NPY header is absurdly long");
    if (text.size() - 8 - length_bytes < length) throw cut();
    detail::npy_literal literal{text.substr(8 + length_bytes, length), where};
    npy_header header = literal.parse();
    detail::check_npy_header(header, literal);
    header.data_begin = 8 + length_bytes + length;
    return header;
}

PLATEAU_INLINE std::string npy_prefix(std::string_view descr, std::span<index const> shape) {
    if (shape.size() > detail::npy_most_axes) throw shape_error("an NPY array has at most 64 axes");
    std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (";
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        if (shape[axis] < 0) throw shape_error("an NPY array cannot have the extent ", shape[axis]);
        text += (axis > 0 ? ", " : "") + std::to_string(shape[axis]);
    }
    text += shape.size() == 1 ? ",), }" : "), }";
    constexpr std::size_t room = 21;  // digits of the first extent after any growth
    if (!shape.empty()) text.append(room - std::to_string(shape[0]).size(), ' ');
    constexpr std::size_t before = 10, alignment = 64;
    text.append(alignment - (before + text.size() + 1) % alignment, ' ');
    text += '\n';
    std::string prefix{detail::npy_magic};
    prefix += '\x01';
    prefix += '\0';
    prefix += static_cast<char>(text.size() & 0xFF);
    prefix += static_cast<char>(text.size() >> 8);
    return prefix + text;
}

}  // namespace plateau::io
