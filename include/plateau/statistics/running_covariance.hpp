#pragma once
/// Mean and covariance of rows that come in batches.

#include <cstddef>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::statistics {

/// Takes rows as they come and keeps their mean [D] and the sum of products about it, D(D + 1)/2 doubles: each batch is
/// centred on its own mean and merged, so that a large mean costs no precision. In double; a batch of B rows is O(B
/// D²). Batches may be of any size; single rows are slower.
/// @see Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance"
class running_covariance {
public:
    /// @throws shape_error if D < 1
    explicit running_covariance(index width) : width_{width} {
        if (width < 1) throw shape_error("a covariance needs rows of at least one element, got ", width);
        mean_.resize(static_cast<std::size_t>(width));
        products_.resize(static_cast<std::size_t>(width * (width + 1) / 2));
    }

    /// @param rows  [B, D], finite      @throws shape_error on another D
    template <class T>
    void add(tensor::view<T, 2> rows) {
        tensor::require_extents(rows.extents(), {rows.extent(0), width_}, "a batch of rows");
        if (rows.extent(0) == 0) return;
        auto const d = static_cast<std::size_t>(width_);
        auto const count = static_cast<std::size_t>(rows.extent(0));
        std::vector<double> centred(count * d), centre(d);
        for (std::size_t r = 0; r < count; ++r) {
            for (std::size_t i = 0; i < d; ++i) {
                centred[r * d + i] =
                    static_cast<double>(rows.data()[static_cast<index>(r) * rows.stride(0) + static_cast<index>(i)]);
                centre[i] += centred[r * d + i];
            }
        }
        for (double& value : centre) value /= static_cast<double>(count);
        for (std::size_t r = 0; r < count; ++r) {
            for (std::size_t i = 0; i < d; ++i) centred[r * d + i] -= centre[i];
        }
        for (std::size_t i = 0; i < d; ++i) {
            double* const row = products_.data() + i * (i + 1) / 2;
            for (std::size_t r = 0; r < count; ++r) {
                double const* const x = centred.data() + r * d;
                double const own = x[i];
                for (std::size_t j = 0; j <= i; ++j) row[j] += own * x[j];
            }
        }
        move_to(centre, static_cast<double>(count));
    }

    /// Adds what another one has seen. @throws shape_error on another D
    void merge(running_covariance const& other) {
        if (other.width_ != width_)
            throw shape_error("covariances of widths ", width_, " and ", other.width_, " do not add up");
        for (std::size_t k = 0; k < products_.size(); ++k) products_[k] += other.products_[k];
        move_to(other.mean_, other.count_);
    }

    index width() const { return width_; }
    index count() const { return static_cast<index>(count_); }
    std::vector<double> const& mean() const { return mean_; }

    /// [D, D] Σ (x − mean)(x − mean)ᵀ / (n − ddof), symmetric. @param ddof  1 as numpy.cov, 0 for the maximum
    /// likelihood
    /// @throws shape_error if n <= ddof
    tensor::buffer<double, 2> covariance(index ddof = 1) const {
        if (count() <= ddof) throw shape_error("a covariance needs more than ", ddof, " rows, got ", count());
        tensor::buffer<double, 2> result({width_, width_});
        std::size_t k = 0;
        for (index i = 0; i < width_; ++i) {
            for (index j = 0; j <= i; ++j)
                result(i, j) = result(j, i) = products_[k++] / (count_ - static_cast<double>(ddof));
        }
        return result;
    }

private:
    /// Merges in `count` rows with this mean, whose products about it have been added already.
    void move_to(std::vector<double> const& centre, double count) {
        double const total = count_ + count;
        if (total == 0) return;
        double const factor = count_ * count / total;
        std::size_t k = 0;
        for (std::size_t i = 0; i < centre.size(); ++i) {
            for (std::size_t j = 0; j <= i; ++j)
                products_[k++] += factor * (centre[i] - mean_[i]) * (centre[j] - mean_[j]);
        }
        for (std::size_t i = 0; i < centre.size(); ++i) mean_[i] += (centre[i] - mean_[i]) * (count / total);
        count_ = total;
    }

    index width_;
    double count_ = 0;
    std::vector<double> mean_;
    std::vector<double> products_;  ///< lower triangle, row by row
};

}  // namespace plateau::statistics
