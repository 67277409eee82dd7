#pragma once
/// Bodies of io/tokenizer/pattern_syntax.hpp.

#include <cstddef>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/tokenizer/pattern_syntax.hpp>

namespace plateau::io {

namespace detail {

class pattern_translation {
public:
    pattern_translation(std::string_view pattern, std::string const& where) : pattern_{pattern}, where_{where} {}

    PLATEAU_INLINE std::string run() {
        while (at_ < pattern_.size()) {
            char const c = pattern_[at_];
            if (c == '\\') escape();
            else if (set_) in_set(c);
            else if (c == '[') open_set();
            else if (c == '(') group();
            else if (c == '{') count();
            else if (c == '^' || c == '$') take(1, c == '^' ? "(?m:^)" : "(?m:$)");
            else take(1, pattern_.substr(at_, 1));
        }
        return result_;
    }

private:
    [[noreturn]] void refuse(std::size_t length) const {
        throw config_error(where_, ": ", printable(pattern_.substr(at_, length)), " in the pattern ",
                           printable(pattern_), " is not supported. Give token ids instead of text");
    }

    bool next_is(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }

    PLATEAU_INLINE void take(std::size_t length, std::string_view translation) {
        at_ += length;
        result_ += translation;
    }

    PLATEAU_INLINE void escape() {
        char const c = at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : ' ';
        bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (c == 's') take(2, set_ ? white_space_set : std::string_view(concat({"[", white_space_set, "]"})));
        else if (c == 'S' && !set_) take(2, concat({"[^", white_space_set, "]"}));
        else if (c == 'd') take(2, R"(\p{Nd})");
        else if (c == 'p' || c == 'P') property();
        else if (c == 'n' || c == 'r' || c == 't' || c == 'f') take(2, pattern_.substr(at_, 2));
        else if (c == 'u' || c == 'x') code_point(c == 'u' ? 4 : 2);
        else if (letter || c == ' ' || static_cast<unsigned char>(c) >= 0x80) refuse(2);
        else take(2, pattern_.substr(at_, 2));
    }

    /// \p{L} and \p{Lu}: general categories, which mean the same everywhere.
    PLATEAU_INLINE void property() {
        auto const end = pattern_.find('}', at_);
        if (end == std::string_view::npos) refuse(4);
        auto const name = pattern_.substr(at_ + 2, end - at_ - 2);
        bool const category = (name.size() == 2 || name.size() == 3) && name[0] == '{' &&
                              std::string_view("LMNPSZC").find(name[1]) != std::string_view::npos &&
                              (name.size() == 2 || (name[2] >= 'a' && name[2] <= 'z'));
        if (!category) refuse(end + 1 - at_);
        take(end + 1 - at_, pattern_.substr(at_, end + 1 - at_));
    }

    PLATEAU_INLINE void code_point(std::size_t digits) {
        auto const hexadecimal = [](std::string_view text) {
            return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
        };
        auto text = pattern_.substr(at_ + 2, digits);
        std::size_t length = 2 + digits;
        if (text.starts_with('{')) {
            text = pattern_.substr(at_ + 3, pattern_.find('}', at_) - at_ - 3);
            length = 4 + text.size();
            digits = text.size();
        }
        if (text.size() != digits || !hexadecimal(text)) refuse(length);
        take(length, concat({R"(\x{)", text, "}"}));
    }

    void open_set() {
        set_ = true;
        take(1, "[");
        if (next_is("^")) take(1, "^");
        if (next_is("]")) refuse(1);
    }

    void in_set(char c) {
        if (c == '[' || next_is("&&")) refuse(2);
        set_ = c != ']';
        take(1, pattern_.substr(at_, 1));
    }

    PLATEAU_INLINE void group() {
        if (!next_is("(?")) return take(1, "(");
        for (std::string_view known : {"(?:", "(?i:", "(?=", "(?!", "(?<=", "(?<!", "(?>"}) {
            if (next_is(known)) return take(known.size(), known);
        }
        refuse(4);
    }

    /// {1,3}: PCRE2 reads {,3} and {1,3}+ otherwise.
    PLATEAU_INLINE void count() {
        auto const end = pattern_.find_first_not_of("0123456789,", at_ + 1);
        if (end == std::string_view::npos || pattern_[end] != '}' || next_is("{,") || next_is("{}")) refuse(4);
        auto const after = pattern_.substr(end + 1, 1);
        if (after == "+" || after == "?" || after == "*") refuse(end + 2 - at_);
        take(end + 1 - at_, pattern_.substr(at_, end + 1 - at_));
    }

    std::string_view pattern_;
    std::string const& where_;
    std::string result_;
    std::size_t at_ = 0;
    bool set_ = false;
};

}  // namespace detail

PLATEAU_INLINE std::string pcre_of_oniguruma(std::string_view pattern, std::string const& where) {
    return detail::pattern_translation{pattern, where}.run();
}

}  // namespace plateau::io
