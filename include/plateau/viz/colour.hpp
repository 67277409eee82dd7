#pragma once
/// Colours, and those that the pictures use.

#include <cstdint>

namespace plateau::viz {

/// sRGB with coverage, each in [0, 1].
struct colour {
    double red = 0;
    double green = 0;
    double blue = 0;
    double alpha = 1;

    constexpr colour with_alpha(double value) const { return {red, green, blue, value}; }
};

/// 0xRRGGBB, opaque.
constexpr colour rgb(std::uint32_t code) {
    return {static_cast<double>((code >> 16) & 0xFFu) / 255, static_cast<double>((code >> 8) & 0xFFu) / 255,
            static_cast<double>(code & 0xFFu) / 255};
}

/// Hues after Okabe & Ito ("Color Universal Design", 2008): told apart with every kind of colour vision.
namespace palette {
inline constexpr colour white = rgb(0xFFFFFF);
inline constexpr colour ink = rgb(0x1F2328);        ///< text
inline constexpr colour quiet_ink = rgb(0x59636E);  ///< secondary text, axes
inline constexpr colour grid = rgb(0xE6E9ED);
inline constexpr colour blue = rgb(0x0072B2);
inline constexpr colour sky_blue = rgb(0x56B4E9);
inline constexpr colour vermillion = rgb(0xD55E00);
inline constexpr colour grey = rgb(0x7D8794);
}  // namespace palette

}  // namespace plateau::viz
