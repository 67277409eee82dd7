#pragma once
/// Where an axis has its marks, and what they say.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <plateau/viz/geometry.hpp>

namespace plateau::viz {

/// The smallest of 1, 2, 5 times a power of ten that is not below `value`.
/// @pre value > 0 and finite
inline double nice_step(double value) {
    double const power = std::pow(10.0, std::floor(std::log10(value)));
    for (double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= value * (1 - 1e-9)) return factor * power;
    }
    return 10 * power;
}

/// Marks of an axis: equally spaced multiples of `step`.
struct ticks {
    double step;
    std::vector<double> values;
};

/// The multiples of a nice step in the range, at most `most` + 1 of them.
/// An empty or non-finite range gives none.
inline ticks ticks_of(interval range, int most) {
    double const raw = range.length() / most;
    if (!(raw > 0) || !std::isfinite(raw)) return {0, {}};
    ticks result{nice_step(raw), {}};
    double const slack = 1e-9 * range.length();
    double const first = std::ceil((range.low - slack) / result.step);
    for (double i = first; i * result.step <= range.high + slack && result.values.size() < 100; ++i) {
        result.values.push_back(i * result.step + 0.0);  // + 0.0 turns -0 into 0
    }
    return result;
}

/// A mark's label with the decimals that its step needs and a true minus sign: "0.25", "−3".
inline std::string tick_label(double value, double step) {
    char text[64];
    double const magnitude = std::abs(value);
    if (magnitude >= 1e6 || (step > 0 && step < 1e-5)) {
        std::snprintf(text, sizeof text, "%.6g", magnitude);
    } else {
        int decimals = 0;
        for (double scaled = step; decimals < 6 && std::abs(scaled - std::round(scaled)) > 1e-6 * scaled; ++decimals) {
            scaled *= 10;
        }
        std::snprintf(text, sizeof text, "%.*f", decimals, magnitude);
    }
    return (value < 0 ? "\u2212" : "") + std::string(text);
}

}  // namespace plateau::viz
