#pragma once
/// Bodies of core/error.hpp.

#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>

namespace plateau {

PLATEAU_INLINE void message_piece::append_to(std::string& message) const {
    switch (kind_) {
        case kind::literal: message += literal_; break;
        case kind::view: message += *view_; break;
        case kind::string: message += *string_; break;
        case kind::integer: message += std::to_string(integer_); break;
        case kind::natural: message += std::to_string(natural_); break;
    }
}

PLATEAU_RARE PLATEAU_INLINE std::string concat(std::initializer_list<message_piece> pieces) {
    std::string message;
    for (auto const& piece : pieces) piece.append_to(message);
    return message;
}

PLATEAU_RARE PLATEAU_INLINE std::runtime_error error::said(std::initializer_list<message_piece> pieces) noexcept {
    try {
        return std::runtime_error{concat(pieces)};
    } catch (std::bad_alloc const&) {  // and if there is none for this either, the program ends
        return std::runtime_error{"an error, and no memory to say which"};
    }
}

}  // namespace plateau
