#pragma once
/// The plane through three activations.

#include <array>
#include <span>

#include <plateau/paths/concepts.hpp>
#include <plateau/paths/point.hpp>

namespace plateau::paths {

/// The plane of a 2-D slice:
///     x(α, β) = a + α (b − a) + β (c − p),   p = a + t (b − a),   t = ⟨b − a, c − a⟩ / |b − a|²
/// so that a lies at (0, 0), b at (1, 0), c at (t, 1), and the axes are at right angles (in units of |b − a| and |c −
/// p|). With c the mean of the activations it is the plane of the published boundary heat map, whose β has the other
/// sign. Published grid of a slice: α, β ∈ [−0.25, 1.25], 61 points each.
/// @param a,b,c  [D] finite; kept as references
/// @throws shape_error on unequal lengths; domain_error if a = b, or if c lies on the line through a and b to within
/// 1e-6
/// @post the anchors bit for bit at their places. In double, O(D), no allocation
/// @see Janiak et al. 2024, appendix on 2D slices, and their code
template <class T>
class plane {
public:
    plane(std::span<T const> a, std::span<T const> b, std::span<T const> c) : a_{a}, b_{b}, c_{c} {
        require_equal_lengths("a plane", a.size(), b, c);
        auto const product = [&](std::span<T const> x, std::span<T const> y) {  // ⟨x − a, y − a⟩
            return tensor::lane_sum(a.size(), [&](std::size_t i) {
                double const from = static_cast<double>(a[i]);
                return (static_cast<double>(x[i]) - from) * (static_cast<double>(y[i]) - from);
            });
        };
        double const squared = product(b, b);
        if (!(squared > 0) || std::isinf(squared)) {
            throw domain_error(squared == 0 ? "a plane needs three different anchors, a and b are the same"
                                            : "an anchor of a plane is not finite");
        }
        t_ = product(b, c) / squared;
        double const height = tensor::lane_sum(a.size(), [&](std::size_t i) {
            double const x = static_cast<double>(a[i]), along = t_ * (static_cast<double>(b[i]) - x);
            double const off = static_cast<double>(c[i]) - x - along;
            return off * off;
        });
        if (!(height > 1e-12 * product(c, c))) {
            throw domain_error("a plane needs three anchors that are not on one line, or not all are finite");
        }
    }

    void operator()(double alpha, double beta, std::span<T> out) const {
        weighted_sum(out, term<T>{1 - alpha - beta * (1 - t_), a_}, term<T>{alpha - beta * t_, b_}, term<T>{beta, c_});
    }

    /// Where a, b and c lie: (0, 0), (1, 0), (t, 1).
    std::array<std::array<double, 2>, 3> anchors() const { return {{{0, 0}, {1, 0}, {t_, 1}}}; }

private:
    std::span<T const> a_;
    std::span<T const> b_;
    std::span<T const> c_;
    double t_ = 0;
};

static_assert(Surface<plane<float>, float>);

}  // namespace plateau::paths
