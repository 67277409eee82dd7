#pragma once
/// Frequencies of rotary position embeddings.

#include <cmath>
#include <numbers>
#include <vector>

#include <plateau/core/types.hpp>

namespace plateau::nn {

/// Inverse frequencies ω_i of the pairs i = 0..E/2−1; position p rotates pair i by p ω_i. All in double: in float32 the
/// angles of position 1,000 are off by 6e-5.
class rope {
public:
    /// ω_i = θ^(−2i/E).   @param width  E, even      @see Su et al. 2021, "RoFormer"
    static rope standard(index width, double theta) {
        rope r;
        for (index i = 0; i < width / 2; ++i) {
            r.frequencies_.push_back(std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(width)));
        }
        return r;
    }

    /// Positions divided by `factor`.
    static rope linear(index width, double theta, double factor) {
        rope r = standard(width, theta);
        for (double& frequency : r.frequencies_) frequency /= factor;
        return r;
    }

    /// Llama 3.1: wavelengths longer than the old context / `low` are stretched by `factor`, shorter than
    /// context / `high` kept, those between blended; at every length of prompt.
    static rope llama3(index width, double theta, double factor, double low, double high, index original_context) {
        rope r = standard(width, theta);
        double const context = static_cast<double>(original_context);
        for (double& frequency : r.frequencies_) {
            double const wavelength = 2 * std::numbers::pi / frequency;
            if (wavelength > context / low) {
                frequency /= factor;
            } else if (wavelength >= context / high) {
                double const smooth = (context / wavelength - low) / (high - low);
                frequency = (1 - smooth) * frequency / factor + smooth * frequency;
            }
        }
        return r;
    }

    /// [E/2]
    std::vector<double> const& frequencies() const { return frequencies_; }
    index half() const { return static_cast<index>(frequencies_.size()); }

    /// cos and sin of all angles of a position. @param cosines,sines  [E/2]
    template <class T>
    void angles(index position, T* cosines, T* sines) const {
        for (std::size_t i = 0; i < frequencies_.size(); ++i) {
            double const angle = static_cast<double>(position) * frequencies_[i];
            cosines[i] = static_cast<T>(std::cos(angle));
            sines[i] = static_cast<T>(std::sin(angle));
        }
    }

private:
    std::vector<double> frequencies_;
};

}  // namespace plateau::nn
