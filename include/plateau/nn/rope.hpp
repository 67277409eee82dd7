#pragma once
/// Frequencies of rotary position embeddings.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::nn {

/// How frequencies go by the length of a sequence. @see rope
struct rope_lengths {
    index beyond = std::numeric_limits<index>::max();  ///< longer sequences have others
    bool each = false;                                 ///< another set for each length
    bool restarts = false;  ///< a text that grows beyond runs anew from its start, instead of going on

    /// A number that lengths of equal frequencies share.
    index operator()(index length) const { return length <= beyond ? 0 : each ? length : 1; }
    /// Whether keys of a text's first `kept` positions are not those of the text of `length`.
    bool restart(index kept, index length) const { return restarts && kept <= beyond && length > beyond; }
    bool operator==(rope_lengths const&) const = default;
};

/// Where the blend of yarn begins and ends.
struct yarn_blend {
    index original_context = 0;  ///< positions of the first training
    double fast = 32, slow = 1;  ///< turns within these
    bool truncate = true;        ///< to whole numbers of pairs
};

/// Inverse frequencies ω_i of the pairs i = 0..E/2−1; position p rotates pair i by p ω_i. All in double: in float32 the
/// angles of position 1,000 are off by 6e-5. Some kinds have others for longer sequences, and some multiply cosines
/// and sines by a factor.
class rope {
public:
    /// ω_i = θ^(−2i/E).   @param width  E, even      @see Su et al. 2021, "RoFormer"
    PLATEAU_INLINE static rope standard(index width, double theta) {
        rope r;
        r.theta_ = theta;
        r.frequencies_ = std::vector<double>(static_cast<std::size_t>(width / 2));
        double twice = 0;
        for (double& frequency : r.frequencies_) {
            frequency = std::pow(theta, -twice / static_cast<double>(width));
            twice += 2;
        }
        return r;
    }

    /// Positions divided by `factor`.
    PLATEAU_INLINE static rope linear(index width, double theta, double factor) {
        rope r = standard(width, theta);
        for (double& frequency : r.frequencies_) frequency /= factor;
        return r;
    }

    /// Llama 3.1: wavelengths longer than the old context / `low` are stretched by `factor`, shorter than
    /// context / `high` kept, those between blended; at every length of prompt.
    PLATEAU_INLINE static rope llama3(index width, double theta, double factor, double low, double high,
                                      index original_context) {
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

    /// Dynamic NTK: sequences of L > `trained` positions have θ (factor L / trained − factor + 1)^(E / (E − 2)).
    /// @param width  E > 2, even
    PLATEAU_INLINE static rope dynamic(index width, double theta, double factor, index trained) {
        rope r = standard(width, theta);
        r.factor_ = factor;
        r.lengths_ = {.beyond = trained, .each = true};
        return r;
    }

    /// YaRN: pairs that turn more than `fast` times in the original context are kept, those that turn less than `slow`
    /// times divided by `factor`, those between blended by their number.
    /// @see Peng et al. 2023, "YaRN", as transformers computes it
    PLATEAU_INLINE static rope yarn(index width, double theta, double factor, yarn_blend const& blend) {
        double const pairs = static_cast<double>(width), context = static_cast<double>(blend.original_context);
        auto const pair_of = [&](double turns) {
            return pairs * std::log(context / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
        };
        double first = pair_of(blend.fast), last = pair_of(blend.slow);
        if (blend.truncate) first = std::floor(first), last = std::ceil(last);
        first = std::max(first, 0.0), last = std::min(last, pairs - 1);
        if (first == last) last += 0.001;
        rope r = standard(width, theta);
        double i = 0;
        for (double& frequency : r.frequencies_) {
            double const divided = std::clamp((i++ - first) / (last - first), 0.0, 1.0);
            frequency = frequency / factor * divided + frequency * (1 - divided);
        }
        return r;
    }

    /// LongRoPE: frequencies divided one by one, by other numbers in sequences of more than `original_context`
    /// positions. @param of_short,of_long  [E/2]      @see Ding et al. 2024, "LongRoPE"
    PLATEAU_INLINE static rope longrope(double theta, std::vector<double> const& of_short,
                                        std::vector<double> const& of_long, rope_lengths lengths) {
        rope r = standard(2 * static_cast<index>(of_short.size()), theta);
        r.long_ = r.frequencies_;
        for (std::size_t i = 0; i < of_short.size(); ++i) r.frequencies_[i] /= of_short[i], r.long_[i] /= of_long[i];
        r.lengths_ = lengths;
        return r;
    }

    /// The same with cosines and sines multiplied by a factor.
    rope times(double attention_factor) && {
        attention_factor_ = attention_factor;
        return std::move(*this);
    }

    /// The same with each frequency divided by a factor of its own. @param divisors  [E/2], positive; none: as they are
    rope divided(std::vector<double> const& divisors) && {
        for (std::size_t i = 0; i < divisors.size(); ++i) frequencies_.at(i) /= divisors[i];
        return std::move(*this);
    }

    /// [E/2], those of short sequences
    std::vector<double> const& frequencies() const { return frequencies_; }
    index half() const { return static_cast<index>(frequencies_.size()); }
    rope_lengths const& lengths() const { return lengths_; }

    /// Those of a sequence of `length` positions.
    PLATEAU_INLINE std::vector<double> frequencies(index length) const {
        if (length <= lengths_.beyond) return frequencies_;
        if (!lengths_.each) return long_;
        double const width = static_cast<double>(2 * half()), trained = static_cast<double>(lengths_.beyond);
        double const stretched = factor_ * static_cast<double>(length) / trained - (factor_ - 1);
        return standard(2 * half(), theta_ * std::pow(stretched, width / (width - 2))).frequencies_;
    }

    /// cos and sin of all angles of a position. @param cosines,sines  [E/2]
    template <class T>
    void angles(index position, T* cosines, T* sines) const {
        angles(frequencies_, position, cosines, sines);
    }
    /// By other frequencies. @param frequencies  [E/2]
    template <class T>
    void angles(std::vector<double> const& frequencies, index position, T* cosines, T* sines) const {
        for (std::size_t i = 0; i < frequencies.size(); ++i) {
            double const angle = static_cast<double>(position) * frequencies[i];
            cosines[i] = static_cast<T>(std::cos(angle) * attention_factor_);
            sines[i] = static_cast<T>(std::sin(angle) * attention_factor_);
        }
    }

private:
    std::vector<double> frequencies_, long_;
    double theta_ = 0, factor_ = 1, attention_factor_ = 1;
    rope_lengths lengths_;
};

}  // namespace plateau::nn
