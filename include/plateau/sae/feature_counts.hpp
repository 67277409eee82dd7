#pragma once
/// Which features of a sparse autoencoder ever fire.

#include <cstddef>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::sae {

/// How often each feature fires over a corpus. A feature is dead if it never does, alive otherwise; at one activation
/// it is active if it fires there, and alive-inactive if it fires elsewhere alone.
/// @see Lee & Heimersheim 2024 (directions of active, alive-inactive and dead features)
class feature_counts {
public:
    /// @param features  F >= 1      @throws shape_error
    explicit feature_counts(index features) : counts_(static_cast<std::size_t>(features < 1 ? 0 : features)) {
        if (features < 1) throw shape_error("an autoencoder has at least one feature, got ", features);
    }

    /// @param rows  [R, F]      @throws shape_error
    template <class T>
    void add(tensor::view<T, 2> rows) {
        tensor::require_extents(rows.extents(), {rows.extent(0), static_cast<index>(counts_.size())},
                                "features that are counted");
        for (index r = 0; r < rows.extent(0); ++r) {
            for (std::size_t f = 0; f < counts_.size(); ++f) counts_[f] += rows(r, static_cast<index>(f)) > 0;
        }
        rows_ += rows.extent(0);
    }

    index rows() const { return rows_; }
    index count(index feature) const { return counts_[static_cast<std::size_t>(feature)]; }

    std::vector<index> dead() const {
        return which([](index count) { return count == 0; });
    }
    std::vector<index> alive() const {
        return which([](index count) { return count > 0; });
    }

private:
    template <class Rule>
    std::vector<index> which(Rule rule) const {
        std::vector<index> found;
        for (std::size_t f = 0; f < counts_.size(); ++f) {
            if (rule(counts_[f])) found.push_back(static_cast<index>(f));
        }
        return found;
    }

    std::vector<index> counts_;
    index rows_ = 0;
};

}  // namespace plateau::sae
