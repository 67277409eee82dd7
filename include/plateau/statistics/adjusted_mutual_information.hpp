#pragma once
/// Mutual information of two labelings, adjusted for what chance gives.

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <vector>

#include <plateau/statistics/contingency.hpp>

namespace plateau::statistics {

/// E[I(X; Y)] in nats if the labels of y are dealt out anew, both margins kept:
///     Σ_ij Σ_k P(k) k/n log(n k / (a_i b_j)),   P(k) = C(a_i, k) C(n − a_i, b_j − k) / C(n, b_j)
/// Each hypergeometric P by the ratios of neighbours, from its mode outwards, divided by their sum: without the
/// logarithms of factorials, which are large and leave their roundings. O(different a · different b · width of P)
/// @see Vinh, Epps & Bailey 2010, "Information theoretic measures for clusterings comparison", equation 24
inline double expected_mutual_information(contingency const& table);

/// (I − E[I]) / ((H(X) + H(Y)) / 2 − E[I]): 1 if the labelings agree up to names, 0 on average if they are unrelated.
/// @return 1 if both have a single label, or both a label of its own for each item; 0 if one alone has a single label
/// @see Vinh, Epps & Bailey 2010; sklearn.metrics.adjusted_mutual_info_score
inline double adjusted_mutual_information(contingency const& table);

namespace detail {

/// E[k log(n k / (a b))] over how many, k, of b items dealt out from n have one of a marks.
inline double expected_cell(index n, index a, index b) {
    auto const real = [](index i) { return static_cast<double>(i); };
    index const least = std::max(index{0}, a + b - n), most = std::min(a, b);
    index const mode = std::clamp(static_cast<index>((real(a) + 1) * (real(b) + 1) / (real(n) + 2)), least, most);
    double total = 0, sum = 0;
    auto const add = [&](index k, double p) {
        total += p;
        if (k > 0) sum += p * real(k) * std::log(real(n) / real(a) * (real(k) / real(b)));
    };
    constexpr double negligible = 1e-30;  // of the mode; what lies beyond falls faster than geometrically
    double p = 1;
    for (index k = mode; k <= most && p > negligible; ++k) {
        add(k, p);
        p *= real(a - k) / real(k + 1) * (real(b - k) / real(n - a - b + k + 1));
    }
    p = 1;
    for (index k = mode; k > least && p > negligible; --k) {
        p *= real(k) / real(a - k + 1) * (real(n - a - b + k) / real(b - k + 1));
        add(k - 1, p);
    }
    return sum / total;
}

}  // namespace detail

inline double expected_mutual_information(contingency const& table) {
    std::map<index, index> rows, columns;  // size -> how many labels have it
    for (index const a : table.rows) ++rows[a];
    for (index const b : table.columns) ++columns[b];
    double sum = 0;
    for (auto const& [a, times_a] : rows) {
        for (auto const& [b, times_b] : columns) {
            sum += static_cast<double>(times_a) * static_cast<double>(times_b) * detail::expected_cell(table.n, a, b);
        }
    }
    return sum / static_cast<double>(table.n);
}

inline double adjusted_mutual_information(contingency const& table) {
    auto const labels = [](std::vector<index> const& counts) { return static_cast<index>(counts.size()); };
    index const rows = labels(table.rows), columns = labels(table.columns);
    if (rows == columns && (rows == 1 || rows == table.n)) return 1;  // whatever is dealt out agrees: 0 / 0
    if (rows == 1 || columns == 1) return 0;
    auto const found = plug_in_information(table);
    double const expected = expected_mutual_information(table);
    return (found.mutual - expected) / ((found.x + found.y) / 2 - expected);
}

}  // namespace plateau::statistics
