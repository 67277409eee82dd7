#pragma once
/// Information that two labelings of the same items share, beside what it is if labels are dealt out anew.

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <plateau/statistics/adjusted_mutual_information.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/statistics/quantile.hpp>

namespace plateau::statistics {

/// A number, and what it is under permuted labels.
struct permuted_number {
    double value;
    double null_mean;
    double null_bound;  ///< the quantile of 95 % of AMI, of 5 % of an entropy: related labelings are beyond it
};

/// From labels R before to labels R′ after, in nats; entropies with Miller and Madow's correction.
struct labeling_information {
    permuted_number splitting;  ///< H(R′|R): 0 if no region splits
    permuted_number merging;    ///< H(R|R′): 0 if none merges
    permuted_number adjusted;   ///< adjusted mutual information, 1 for the same partition; its null mean is about 0
};

/// @param before,after  [n] labels      @throws shape_error on unequal lengths or n = 0; usage_error if permutations <
/// 1
/// @see miller_madow_information, adjusted_mutual_information
inline labeling_information information_of(std::span<index const> before, std::span<index const> after,
                                           permutation_options const& options = {.permutations = 500}) {
    if (options.permutations < 1)
        throw usage_error("a permutation test needs permutations, got ", options.permutations);
    auto const table = contingency_of(before, after);
    // permutations keep the margins, and with them entropies and what mutual information is expected
    auto const rows = static_cast<index>(table.rows.size()), columns = static_cast<index>(table.columns.size());
    bool const fixed = rows == 1 || columns == 1 || (rows == table.n && columns == table.n);  // all deals agree as well
    auto const plain = plug_in_information(table);
    double const expected = expected_mutual_information(table), most = (plain.x + plain.y) / 2;
    double const adjusted = adjusted_mutual_information(table);
    std::vector<double> nulls[3];
    std::vector<index> dealt(after.begin(), after.end());
    counter_rng rng{options.seed};
    for (index i = 0; i < options.permutations; ++i) {
        shuffle(std::span{dealt}, rng);
        auto const of = contingency_of(before, dealt);
        auto const corrected = miller_madow_information(of);
        nulls[0].push_back(corrected.y_given_x);
        nulls[1].push_back(corrected.x_given_y);
        nulls[2].push_back(fixed ? adjusted : (plug_in_information(of).mutual - expected) / (most - expected));
    }
    auto const beside = [&](double value, std::vector<double>& null, double level) -> permuted_number {
        double const mean_of_null = mean(null);
        std::sort(null.begin(), null.end());
        return {value, mean_of_null, quantile(null, level)};
    };
    auto const corrected = miller_madow_information(table);
    return {beside(corrected.y_given_x, nulls[0], 0.05), beside(corrected.x_given_y, nulls[1], 0.05),
            beside(adjusted, nulls[2], 0.95)};
}

}  // namespace plateau::statistics
