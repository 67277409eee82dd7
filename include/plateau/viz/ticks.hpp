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

/// Marks of an axis: equally spaced multiples of `step`, or any that say themselves what they are called.
struct ticks {
    double step;
    std::vector<double> values;
    std::vector<std::string> labels = {};  ///< by value; empty: the numbers
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

/// What mark i is called.
inline std::string label_of(ticks const& marks, std::size_t i) {
    return marks.labels.empty() ? tick_label(marks.values[i], marks.step) : marks.labels[i];
}

/// Marks of a logarithmic axis whose range is given as log10: powers of ten, and if these are few, 2 and 5 times them
/// too, or at last every nice step. Labels are the numbers themselves.
inline ticks log_ticks_of(interval range, int most) {
    ticks result{0, {}, {}};
    if (!(range.length() > 0) || !std::isfinite(range.length())) return result;
    auto const mark = [&](double value) {
        double const place = std::log10(value);
        if (place < range.low - 1e-9 || place > range.high + 1e-9) return;
        char text[32];
        std::snprintf(text, sizeof text, "%.4g", value);
        result.values.push_back(place);
        result.labels.emplace_back(text);
    };
    double const decades = std::ceil(range.length() / most);  // powers of ten from one mark to the next
    bool const few = range.length() < 3;
    for (double power = std::floor(range.low / decades) * decades; power <= range.high + 1e-9; power += decades) {
        for (double factor : {1.0, 2.0, 5.0}) {
            if (factor == 1 || few) mark(factor * std::pow(10.0, power));
        }
    }
    if (result.values.size() >= 2) return result;
    result = {0, {}, {}};
    for (double value : ticks_of({std::pow(10.0, range.low), std::pow(10.0, range.high)}, most).values) {
        if (value > 0) mark(value);
    }
    return result;
}

}  // namespace plateau::viz
