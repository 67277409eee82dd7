#pragma once
/// Contingency table of two labelings of the same items, and the information that they share.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>

namespace plateau::statistics {

/// How often two labels meet, n > 0.
struct contingency_cell {
    index row, column;  ///< which label of x, of y
    index n;
};

/// The occupied cells of the table, ascending by (row, column), and its margins: no more memory than there are items.
struct contingency {
    index n = 0;                       ///< items
    std::vector<index> rows, columns;  ///< items of each label of x, of y, by labels ascending
    std::vector<contingency_cell> cells;
};

/// The table of labels (x_i, y_i). @param x,y  [n] any integers, region numbers or token ids; only equality counts
/// @throws shape_error on unequal lengths or n = 0
inline contingency contingency_of(std::span<index const> x, std::span<index const> y);

/// Information in nats. Of a table with all cells alike x_given_y = x; where y says what x is, x_given_y = 0.
struct information {
    double x, y;                  ///< H(X), H(Y)
    double x_given_y, y_given_x;  ///< H(X|Y), H(Y|X)
    double mutual;                ///< I(X; Y) = H(X) − H(X|Y)
};

/// The information of the shares n_ij / n: H(X) = −Σ_i p_i log p_i, H(X|Y) = −Σ_ij p_ij log(p_ij / p_j),
/// I = Σ_ij p_ij log(p_ij / (p_i p_j)). Of few items the entropies are too small and I is too large.
/// @param table  of at least one item      @post conditional entropies are exactly 0 where one label says the other
inline information plug_in_information(contingency const& table);

/// The same with Miller and Madow's correction of the bias: each of H(X), H(Y), H(X, Y) plus (K − 1) / (2n), K its
/// occupied cells; H(X|Y) = H(X, Y) − H(Y), I = H(X) + H(Y) − H(X, Y). I and, where cells are few, H(X|Y) of
/// independent labels scatter about the truth, so that I may be below 0.      @see Miller 1955
inline information miller_madow_information(contingency const& table);

/// 1 − H(X|Y) / H(X) ∈ [0, 1]: 1 if all items of one y have the same x, or there is but one x.
/// @see Rosenberg & Hirschberg 2007; sklearn.metrics.homogeneity_score(x, y)
inline double homogeneity(contingency const& table);

/// 1 − H(Y|X) / H(Y) ∈ [0, 1]: 1 if all items of one x have the same y, or there is but one y.
/// @see sklearn.metrics.completeness_score(x, y)
inline double completeness(contingency const& table);

namespace detail {

/// The number of each item's label among the different ones, ascending; counts how often each occurs.
inline std::vector<std::size_t> number_labels(std::span<index const> labels, std::vector<index>& counts) {
    std::vector<index> names(labels.begin(), labels.end());
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    counts.assign(names.size(), 0);
    std::vector<std::size_t> numbers;
    for (index const label : labels) {
        numbers.push_back(
            static_cast<std::size_t>(std::lower_bound(names.begin(), names.end(), label) - names.begin()));
        ++counts[numbers.back()];
    }
    return numbers;
}

}  // namespace detail

inline contingency contingency_of(std::span<index const> x, std::span<index const> y) {
    if (x.size() != y.size() || x.empty()) {
        throw shape_error("a contingency table needs two labels of each of at least 1 item, got ", x.size(), " and ",
                          y.size(), " labels");
    }
    contingency table;
    table.n = static_cast<index>(x.size());
    auto const rows = detail::number_labels(x, table.rows), columns = detail::number_labels(y, table.columns);
    std::map<std::pair<std::size_t, std::size_t>, index> cells;
    for (std::size_t i = 0; i < rows.size(); ++i) ++cells[{rows[i], columns[i]}];
    for (auto const& [at, n] : cells) {
        table.cells.push_back({static_cast<index>(at.first), static_cast<index>(at.second), n});
    }
    return table;
}

inline information plug_in_information(contingency const& table) {
    double const n = static_cast<double>(table.n);
    auto const entropy = [&](std::vector<index> const& counts) {
        double sum = 0;
        for (index const count : counts) sum += static_cast<double>(count) * std::log(n / static_cast<double>(count));
        return sum / n;
    };
    information found{entropy(table.rows), entropy(table.columns), 0, 0, 0};
    for (auto const& cell : table.cells) {
        double const row = static_cast<double>(table.rows[static_cast<std::size_t>(cell.row)]),
                     column = static_cast<double>(table.columns[static_cast<std::size_t>(cell.column)]),
                     together = static_cast<double>(cell.n);
        found.x_given_y += together / n * std::log(column / together);
        found.y_given_x += together / n * std::log(row / together);
        found.mutual += together / n * std::log(together / row * (n / column));
    }
    found.mutual = std::max(found.mutual, 0.0);  // no rounding below
    return found;
}

inline information miller_madow_information(contingency const& table) {
    auto found = plug_in_information(table);
    auto const correction = [&](std::size_t occupied) {
        return (static_cast<double>(occupied) - 1) / (2 * static_cast<double>(table.n));
    };
    double const x = correction(table.rows.size()), y = correction(table.columns.size()),
                 both = correction(table.cells.size());
    return {found.x + x, found.y + y, found.x_given_y + (both - y), found.y_given_x + (both - x),
            found.mutual + (x + y - both)};
}

inline double homogeneity(contingency const& table) {
    auto const found = plug_in_information(table);
    return found.x > 0 ? std::clamp(1 - found.x_given_y / found.x, 0.0, 1.0) : 1;
}

inline double completeness(contingency const& table) {
    auto const found = plug_in_information(table);
    return found.y > 0 ? std::clamp(1 - found.y_given_x / found.y, 0.0, 1.0) : 1;
}

}  // namespace plateau::statistics
