#pragma once
/// Exceptions of the library; every message says what is wrong, where, and the way out.

#include <concepts>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <plateau/core/macros.hpp>

namespace plateau {

/// A piece of a message: an integer, or text that lives until the end of the statement.
class message_piece {
public:
    message_piece(char const* text) : kind_{kind::literal}, literal_{text} {}
    message_piece(std::string_view const& text) : kind_{kind::view}, view_{&text} {}
    message_piece(std::string const& text) : kind_{kind::string}, string_{&text} {}
    template <std::integral Integer>
        requires(!std::same_as<Integer, char> && !std::same_as<Integer, bool>)
    message_piece(Integer number) : kind_{std::is_signed_v<Integer> ? kind::integer : kind::natural} {
        if constexpr (std::is_signed_v<Integer>) integer_ = number;
        else natural_ = number;
    }

    void append_to(std::string& message) const;

private:
    enum class kind { literal, view, string, integer, natural };
    kind kind_;
    union {
        char const* literal_;
        std::string_view const* view_;
        std::string const* string_;
        long long integer_;
        unsigned long long natural_;
    };
};

/// The pieces one after the other, as one text. Messages are put together by this function and not in place by `+`,
/// which would be a good part of the machine code of a header-only library, and of the time that its users wait for the
/// compiler.
std::string concat(std::initializer_list<message_piece> pieces);

/// Base of everything that plateau throws on purpose:
///     throw file_error(where, ": the tensor ", name, " has ", count, " values")
class error : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
    explicit error(std::initializer_list<message_piece> pieces) noexcept : std::runtime_error{said(pieces)} {}

    // None of them throws: so whoever throws one of these has nothing to undo while it is made.
    // One template over the types of the pieces would be compiled again for every length of a literal in them, for the
    // class that is thrown and for this one: 560 functions and an eighth of the compile time of a file that loads a
    // model.
    using piece = message_piece;
    explicit error(piece a, piece b) noexcept : error({a, b}) {}
    explicit error(piece a, piece b, piece c) noexcept : error({a, b, c}) {}
    explicit error(piece a, piece b, piece c, piece d) noexcept : error({a, b, c, d}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e) noexcept : error({a, b, c, d, e}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f) noexcept : error({a, b, c, d, e, f}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g) noexcept
        : error({a, b, c, d, e, f, g}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g, piece h) noexcept
        : error({a, b, c, d, e, f, g, h}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g, piece h, piece i) noexcept
        : error({a, b, c, d, e, f, g, h, i}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g, piece h, piece i, piece j) noexcept
        : error({a, b, c, d, e, f, g, h, i, j}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g, piece h, piece i, piece j,
                   piece k) noexcept
        : error({a, b, c, d, e, f, g, h, i, j, k}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g, piece h, piece i, piece j, piece k,
                   piece l) noexcept
        : error({a, b, c, d, e, f, g, h, i, j, k, l}) {}
    explicit error(piece a, piece b, piece c, piece d, piece e, piece f, piece g, piece h, piece i, piece j, piece k,
                   piece l, piece m) noexcept
        : error({a, b, c, d, e, f, g, h, i, j, k, l, m}) {}

private:
    static std::runtime_error said(std::initializer_list<message_piece> pieces) noexcept;
};

/// The caller asked for something that makes no sense (a program answers with exit status 2).
class usage_error : public error {
public:
    using error::error;
};

/// A file is missing, unreadable, truncated, malformed, or could not be written.
class file_error : public error {
public:
    using error::error;
};

/// A model configuration is malformed or asks for something that is not supported.
class config_error : public error {
public:
    using error::error;
};

/// Extents do not fit together.
class shape_error : public error {
public:
    using error::error;
};

/// An argument lies outside the domain of a mathematical operation.
class domain_error : public error {
public:
    using error::error;
};

/// A computation produced a value that is not finite.
class numeric_error : public error {
public:
    using error::error;
};

/// A hook point does not exist, or a hook was never reached.
class site_error : public error {
public:
    using error::error;
};

/// The request does not fit into memory.
class memory_error : public error {
public:
    using error::error;
};

/// There is no device that computes, or it failed.
class device_error : public error {
public:
    using error::error;
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/error.ipp>
#endif
