#pragma once
/// Optimal assignment: which row goes with which column, such that the weights of the pairs add up to the most.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/tensor/view.hpp>

namespace plateau::statistics {

struct assignment {
    std::vector<index> column_of;  ///< [R] the column of each row, −1 for rows that are left over
    double total;                  ///< Σ of the weights of the pairs, in the order of the rows
};

/// min(R, C) pairs, no row and no column twice, of the largest total weight. Shortest augmenting paths with
/// potentials, O(min(R, C)² max(R, C)). Of equal distances the one of the lower index is taken first, so that the same
/// weights give the same pairs everywhere.
/// @param weights  [R, C] finite, of any sign; negated costs for the least total
/// @throws shape_error if R or C is 0; domain_error on a weight that is not finite
/// @see Crouse 2016, "On implementing 2D rectangular assignment algorithms"; scipy.optimize.linear_sum_assignment
inline assignment optimal_assignment(tensor::view<double const, 2> weights) {
    auto const rows = static_cast<std::size_t>(weights.extent(0)),
               columns = static_cast<std::size_t>(weights.extent(1));
    if (rows == 0 || columns == 0)
        throw shape_error("an assignment needs rows and columns, got ", rows, " and ", columns);
    for (std::size_t r = 0; r < rows; ++r) {
        for (double weight : weights[static_cast<index>(r)].flat()) {
            if (!std::isfinite(weight)) throw domain_error("a weight of row ", r, " of an assignment is not finite");
        }
    }
    // The shorter side takes its places one after the other, on the longer one.
    bool const turned = rows > columns;
    std::size_t const few = std::min(rows, columns), many = std::max(rows, columns);
    auto const cost = [&](std::size_t i, std::size_t j) {
        return -(turned ? weights(static_cast<index>(j), static_cast<index>(i))
                        : weights(static_cast<index>(i), static_cast<index>(j)));
    };
    constexpr auto none = std::numeric_limits<std::size_t>::max();
    constexpr double infinity = std::numeric_limits<double>::infinity();
    std::vector<double> u(few), v(many);  // potentials: cost(i, j) − u_i − v_j >= 0, and = 0 of pairs
    std::vector<std::size_t> taken_by(many, none), place_of(few, none);
    for (std::size_t start = 0; start < few; ++start) {
        // Dijkstra from `start` over reduced costs, to the nearest free place.
        std::vector<double> distance(many, infinity);
        std::vector<std::size_t> before(many, none);
        std::vector<bool> reached(many, false);
        std::vector<std::size_t> visited;
        double shortest = 0;
        std::size_t i = start, free = none;
        while (free == none) {
            std::size_t nearest = none;
            for (std::size_t j = 0; j < many; ++j) {
                if (reached[j]) continue;
                double const through = shortest + cost(i, j) - u[i] - v[j];
                if (through < distance[j]) {
                    distance[j] = through;
                    before[j] = i;
                }
                if (nearest == none || distance[j] < distance[nearest]) nearest = j;
            }
            shortest = distance[nearest];
            reached[nearest] = true;
            visited.push_back(nearest);
            if (taken_by[nearest] == none) free = nearest;
            else i = taken_by[nearest];
        }
        // New potentials keep reduced costs from falling below 0, and make those along the path 0.
        u[start] += shortest;
        for (std::size_t const j : visited) {
            if (j == free) continue;
            u[taken_by[j]] += shortest - distance[j];
            v[j] -= shortest - distance[j];
        }
        for (std::size_t j = free; j != none;) {  // everyone along the path moves on by one
            std::size_t const owner = before[j];
            taken_by[j] = owner;
            std::swap(place_of[owner], j);
        }
    }
    assignment found{std::vector<index>(rows, -1), 0};
    for (std::size_t k = 0; k < few; ++k) {
        auto const row = turned ? place_of[k] : k, column = turned ? k : place_of[k];
        found.column_of[row] = static_cast<index>(column);
    }
    for (std::size_t r = 0; r < rows; ++r) {
        if (found.column_of[r] >= 0) found.total += weights(static_cast<index>(r), found.column_of[r]);
    }
    return found;
}

}  // namespace plateau::statistics
