#pragma once
/// What the header of a PNG says.

#include <string_view>

namespace plateau::testing {

struct png_extent {
    unsigned width;
    unsigned height;
};

/// {0, 0} unless the bytes start as a PNG does and end with its last chunk.
inline png_extent png_size(std::string_view bytes) {
    using namespace std::string_view_literals;
    if (bytes.size() < 45 || bytes.substr(0, 16) != "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR"sv ||
        bytes.substr(bytes.size() - 12, 8) != "\0\0\0\0IEND"sv) {
        return {0, 0};
    }
    auto const number = [&](std::size_t at) {
        unsigned value = 0;
        for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
        return value;
    };
    return {number(16), number(20)};
}

}  // namespace plateau::testing
