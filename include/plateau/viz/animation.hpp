#pragma once
/// Animated PNG: frames one after the other in one file, which shows the first where animations are not known.

#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::viz {

namespace detail {

inline constexpr std::string_view png_signature{"\x89PNG\r\n\x1A\n", 8};

/// CRC-32 of PNG and zip. @see ISO 3309; PNG specification, annex D
inline std::uint32_t crc32_of(std::string_view bytes) {
    static constexpr auto table = [] {
        std::array<std::uint32_t, 256> entries{};
        for (std::uint32_t n = 0; n < 256; ++n) {
            std::uint32_t c = n;
            for (int bit = 0; bit < 8; ++bit) c = (c & 1u) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            entries[n] = c;
        }
        return entries;
    }();
    std::uint32_t crc = 0xFFFFFFFFu;
    for (char const byte : bytes) crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xFFu] ^ (crc >> 8);
    return ~crc;
}

inline std::string big_endian(std::uint32_t value, int bytes = 4) {
    std::string text;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
    return text;
}

/// Length, type, data, and the checksum of the latter two.
inline std::string png_chunk(std::string const& type, std::string_view data) {
    std::string const body = type + std::string(data);
    return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(crc32_of(body));
}

/// Calls take(type, data, whole chunk) for every chunk of a PNG. @throws shape_error on bytes that are no PNG
template <class Take>
void each_png_chunk(std::string_view png, Take const& take) {
    auto const require = [](bool good) {
        if (!good) throw shape_error("a frame of an animation is no PNG");
    };
    require(png.substr(0, 8) == png_signature);
    for (std::size_t at = 8; at < png.size();) {
        require(png.size() - at >= 12);
        std::size_t length = 0;
        for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(png[at + i]);
        require(png.size() - at - 12 >= length);
        take(png.substr(at + 4, 4), png.substr(at + 8, length), png.substr(at, length + 12));
        at += length + 12;
    }
}

}  // namespace detail

/// The bytes of an animation of pictures of one size, replayed for ever.
/// @param frames   bytes of PNG files of the same width, height and kind of pixels, as `canvas::png` gives them
/// @param seconds  each frame stays
/// @throws shape_error without frames, on bytes that are no PNG, or on frames that differ in size or kind; domain_error
///         unless 0 < seconds <= 60
/// @post a PNG that viewers without animations show as the first frame
/// @see W3C, Portable Network Graphics, third edition: chunks acTL, fcTL, fdAT
inline std::string animated_png(std::span<std::string const> frames, double seconds) {
    if (frames.empty()) throw shape_error("an animation needs a frame at least");
    if (!(seconds > 0 && seconds <= 60))
        throw domain_error("a frame of an animation stays for more than 0 and at most 60 seconds");
    using detail::big_endian;
    std::string header, result{detail::png_signature};
    std::uint32_t sequence = 0;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        bool started = false, known = false;
        detail::each_png_chunk(frames[i], [&](std::string_view type, std::string_view data, std::string_view chunk) {
            if (type == "IHDR") {
                if (i > 0 && data != header)
                    throw shape_error("frame ", i,
                                      " of an animation has another size or kind of pixels than the first");
                header = data;
                known = data.size() == 13;
                if (i == 0)
                    result += std::string(chunk) +
                              detail::png_chunk("acTL",
                                                big_endian(static_cast<std::uint32_t>(frames.size())) + big_endian(0));
            } else if (type == "IDAT") {
                if (!known) throw shape_error("a frame of an animation is no PNG");
                if (!started) {  // size, place, time as a fraction, dispose: nothing, blend: replace
                    result += detail::png_chunk(
                        "fcTL", big_endian(sequence++) + header.substr(0, 8) + big_endian(0) + big_endian(0) +
                                    big_endian(static_cast<std::uint32_t>(std::lround(1000 * seconds)), 2) +
                                    big_endian(1000, 2) + std::string(2, '\0'));
                    started = true;
                }
                if (i == 0) result += chunk;
                else result += detail::png_chunk("fdAT", big_endian(sequence++) + std::string(data));
            } else if (i == 0 && type != "IEND") {
                result += chunk;
            }
        });
        if (!started) throw shape_error("a frame of an animation is no PNG");
    }
    return result + detail::png_chunk("IEND", "");
}

}  // namespace plateau::viz
