#pragma once
/// Small maps whose stable regions are known: what paths, metrics and statistics say of them can be checked.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/tensor/buffer.hpp>

#include "support/random.hpp"

namespace plateau::testing {

/// A residual map with two wells, on either side of the hyperplane ⟨x, u⟩ = c:
///     x ← x + η [(tanh(β s) + c) u − x],   s = ⟨x, u⟩ − c,   `layers` times
/// What lies off u fades; s goes to the root of tanh(β s) = s on its own side, so that the output is one of two points,
/// and the boundary is s = 0 exactly.
struct double_well {
    std::vector<double> u;  ///< [D] unit vector
    double c = 0.3;
    double gain = 3;    ///< β
    double rate = 0.3;  ///< η
    int layers = 30;

    double_well(index width, std::uint64_t seed) : u{random_vector<double>(width, seed)} {
        double squares = 0;
        for (double x : u) squares += x * x;
        for (double& x : u) x /= std::sqrt(squares);
    }

    template <class T>
    double side(std::span<T const> x) const {
        double s = -c;
        for (std::size_t i = 0; i < u.size(); ++i) s += static_cast<double>(x[i]) * u[i];
        return s;
    }

    template <class T>
    std::vector<double> operator()(std::span<T const> x) const {
        std::vector<double> y(x.begin(), x.end());
        for (int layer = 0; layer < layers; ++layer) {
            double const towards = std::tanh(gain * side(std::span<double const>{y})) + c;
            for (std::size_t i = 0; i < y.size(); ++i) y[i] += rate * (towards * u[i] - y[i]);
        }
        return y;
    }

    /// Where the line from a to b crosses the boundary.
    template <class T>
    double boundary(std::span<T const> a, std::span<T const> b) const {
        return side(a) / (side(a) - side(b));
    }

    /// ds_out / ds_in on the boundary: each layer multiplies by 1 − η + η β.
    double slope_at_boundary() const { return std::pow(1 - rate + rate * gain, layers); }

    /// s in the wells.
    double well() const {
        double s = 1;
        for (int i = 0; i < 200; ++i) s = std::tanh(gain * s);
        return s;
    }
};

/// A denoiser of sparse sums of random directions w_i: out = Σ_i clip((⟨w_i, x⟩ − θ) / s, 0, 1) w_i. What lies below
/// the thresholds fades, a feature that is there comes out whole; on the way from one feature to another nothing moves
/// until a gate ⟨w_i, x⟩ − θ leaves its flat parts, at places that are known.
struct sparse_denoiser {
    tensor::buffer<double, 2> features;  ///< [F, D] unit vectors
    double threshold = 0.45;             ///< θ
    double ramp = 0.3;                   ///< s

    sparse_denoiser(index count, index width, std::uint64_t seed)
        : features{random_buffer<double, 2>({count, width}, seed)} {
        for (index i = 0; i < count; ++i) {
            double squares = 0;
            for (double const x : features[i].flat()) squares += x * x;
            for (double& x : features[i].flat()) x /= std::sqrt(squares);
        }
    }

    std::vector<double> gates(std::span<double const> x) const {
        std::vector<double> z;
        for (index i = 0; i < features.extent(0); ++i) {
            z.push_back(-threshold);
            for (std::size_t d = 0; d < x.size(); ++d) z.back() += features(i, static_cast<index>(d)) * x[d];
        }
        return z;
    }

    std::vector<double> operator()(std::span<double const> x) const {
        std::vector<double> y(x.size());
        auto const z = gates(x);
        for (index i = 0; i < features.extent(0); ++i) {
            double const on = std::clamp(z[static_cast<std::size_t>(i)] / ramp + 0.5, 0.0, 1.0);
            for (std::size_t d = 0; d < y.size(); ++d) y[d] += on * features(i, static_cast<index>(d));
        }
        return y;
    }
};

/// A random ReLU network, e.g. W₃ relu(W₂ relu(W₁ x + b₁) + b₂). Along a line it is linear between
/// breakpoints, which `restrict_to` finds exactly. @see Sotoudeh & Thakur 2019, "ExactLine"
struct relu_net {
    struct layer {
        tensor::buffer<double, 2> weight;  ///< [out, in]
        std::vector<double> bias;          ///< [out]
    };
    std::vector<layer> layers;

    relu_net(std::vector<index> const& widths, std::uint64_t seed) {
        for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
            double const scale = std::sqrt(2.0 / static_cast<double>(widths[l]));
            layers.push_back({random_buffer<double, 2>({widths[l + 1], widths[l]}, seed + 2 * l, scale),
                              random_vector<double>(widths[l + 1], seed + 2 * l + 1, 0.3)});
        }
    }

    std::vector<double> operator()(std::span<double const> x) const {
        std::vector<double> y(x.begin(), x.end());
        for (std::size_t l = 0; l < layers.size(); ++l) {
            y = affine(layers[l], y);
            if (l + 1 < layers.size()) rectify(y);
        }
        return y;
    }

    /// What the units of each hidden layer take, before their ReLU.
    std::vector<std::vector<double>> hidden(std::span<double const> x) const {
        std::vector<std::vector<double>> all;
        std::vector<double> y(x.begin(), x.end());
        for (std::size_t l = 0; l + 1 < layers.size(); ++l) {
            all.push_back(y = affine(layers[l], y));
            rectify(y);
        }
        return all;
    }

    /// The network along (1 − α) a + α b, α ∈ [0, 1].
    struct restriction {
        std::vector<double> alpha;                 ///< [K] ascending from 0 to 1: linear in between
        std::vector<std::vector<double>> outputs;  ///< [K] of them
        std::vector<std::size_t> crossings = {};   ///< by hidden layer: sign changes of its units
    };

    restriction restrict_to(std::span<double const> a, std::span<double const> b) const {
        restriction line{{0, 1}, {{a.begin(), a.end()}, {b.begin(), b.end()}}, {}};
        for (std::size_t l = 0; l < layers.size(); ++l) {
            for (auto& value : line.outputs) value = affine(layers[l], value);
            if (l + 1 == layers.size()) break;
            restriction next;
            for (std::size_t k = 0; k < line.alpha.size(); ++k) {
                next.alpha.push_back(line.alpha[k]);
                next.outputs.push_back(line.outputs[k]);
                if (k + 1 == line.alpha.size()) break;
                std::vector<double> roots;
                auto const &left = line.outputs[k], &right = line.outputs[k + 1];
                for (std::size_t j = 0; j < left.size(); ++j) {
                    if ((left[j] < 0) != (right[j] < 0)) roots.push_back(left[j] / (left[j] - right[j]));
                }
                std::sort(roots.begin(), roots.end());
                for (double root : roots) {
                    next.alpha.push_back(line.alpha[k] + root * (line.alpha[k + 1] - line.alpha[k]));
                    auto& value = next.outputs.emplace_back(left);
                    for (std::size_t j = 0; j < left.size(); ++j) value[j] += root * (right[j] - left[j]);
                }
            }
            next.crossings = line.crossings;
            next.crossings.push_back(next.alpha.size() - line.alpha.size());
            line = std::move(next);
            for (auto& value : line.outputs) rectify(value);
        }
        return line;
    }

private:
    static std::vector<double> affine(layer const& l, std::vector<double> const& x) {
        std::vector<double> y = l.bias;
        for (index i = 0; i < l.weight.extent(0); ++i) {
            for (index j = 0; j < l.weight.extent(1); ++j)
                y[static_cast<std::size_t>(i)] += l.weight(i, j) * x[static_cast<std::size_t>(j)];
        }
        return y;
    }
    static void rectify(std::vector<double>& x) {
        for (double& value : x) value = std::max(value, 0.0);
    }
};

}  // namespace plateau::testing
