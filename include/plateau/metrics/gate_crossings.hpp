#pragma once
/// Crossings of a gate along a line, in closed form: where a normalised linear function of a moving point is zero.

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::metrics {

/// s(α)² of a norm's divisor along a line: a + b α + c α², since the (centred) point is linear in α and its mean square
/// quadratic.
struct squared_divisor {
    double a = 1, b = 0, c = 0;

    double at(double alpha) const { return a + alpha * (b + alpha * c); }

    /// @param start,middle,end  s at α = 0, ½, 1
    static squared_divisor through(double start, double middle, double end) {
        double const f0 = start * start, f1 = middle * middle, f2 = end * end;
        return {f0, 4 * f1 - 3 * f0 - f2, 2 * (f0 + f2) - 4 * f1};
    }
};

/// A gate's pre-activation along a line, z(α) = p(α) / s(α) + c: p, the weights times the unnormalised point, is linear
/// in α; s is the norm's divisor; c is what biases give (those of the norm too, times the weights).
struct gate_on_line {
    double start, end;  ///< p(0), p(1)
    double constant;    ///< c
    squared_divisor divisor = {};

    /// z(α) · s(α), whose sign is that of z(α).
    double at(double alpha) const {
        return (1 - alpha) * start + alpha * end + constant * std::sqrt(divisor.at(alpha));
    }
};

namespace detail {

/// The roots of p² = c² s², which are those of p + c s and of p − c s.
inline std::array<double, 2> roots_of_squares(gate_on_line const& gate) {
    double const slope = gate.end - gate.start, c2 = gate.constant * gate.constant;
    // u α² + 2 v α + w
    double const u = slope * slope - c2 * gate.divisor.c, v = gate.start * slope - c2 * gate.divisor.b / 2,
                 w = gate.start * gate.start - c2 * gate.divisor.a;
    double const root = std::sqrt(std::max(0.0, std::fma(v, v, -u * w)));
    double const far = -(v + std::copysign(root, v));  // without cancellation; the other one by their product
    return {far / u, w / far};
}

/// A step of Newton's towards z s = 0, where it leads nearer.
inline double nearer_root(gate_on_line const& gate, double root) {
    double const value = gate.at(root), s = std::sqrt(gate.divisor.at(root));
    double const slope = gate.end - gate.start + gate.constant * (gate.divisor.b + 2 * root * gate.divisor.c) / (2 * s);
    double const next = root - value / slope;
    return std::abs(gate.at(next)) < std::abs(value) ? next : root;
}

}  // namespace detail

/// Where z changes its sign, in rising order: once at most where c = 0 (p is linear), else twice at most (s is convex).
/// A zero that z touches from below is none; signs are those of sign codes: positive or not.
///     c = 0:  p(α) = 0      otherwise:  p(α)² = c² s(α)², of whose two roots those are kept across which z changes
/// @post as many as the signs at both ends say, modulo 2
inline std::vector<double> crossings_of(gate_on_line const& gate) {
    bool const first = gate.at(0) > 0, last = gate.at(1) > 0;
    if (gate.constant == 0) {
        if (first == last) return {};
        return {gate.start / (gate.start - gate.end)};
    }
    std::vector<double> inside;
    for (double const root : detail::roots_of_squares(gate)) {
        if (root > 0 && root < 1) inside.push_back(detail::nearer_root(gate, detail::nearer_root(gate, root)));
    }
    std::sort(inside.begin(), inside.end());
    if (inside.size() == 2) {
        bool const middle = gate.at((inside[0] + inside[1]) / 2) > 0;
        if (middle == last) inside.pop_back();
        if (middle == first) inside.erase(inside.begin());
    } else if (first == last) {
        inside.clear();
    }
    // a zero so near to an end that rounding takes its root beyond it
    if (inside.empty() && first != last) inside.push_back(std::abs(gate.at(0)) < std::abs(gate.at(1)) ? 0 : 1);
    return inside;
}

}  // namespace plateau::metrics
