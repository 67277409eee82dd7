#pragma once
/// The committed reference numbers of golden/science.json (see golden/make_science.py).

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <plateau/tensor/buffer.hpp>

#include "support/baked.hpp"

namespace plateau::testing {

/// One subject of the file.
inline nlohmann::json science(std::string const& subject) {
    std::string const file = std::string(baked::tests) + "/golden/science.json";
    std::ifstream stream{file, std::ios::binary};
    std::string const text{std::istreambuf_iterator<char>{stream}, std::istreambuf_iterator<char>{}};
    return nlohmann::json::parse(text).at(subject);
}

inline double number(nlohmann::json const& of, char const* key) { return of.at(key).get<double>(); }

inline std::vector<double> numbers(nlohmann::json const& of, char const* key) {
    return of.at(key).get<std::vector<double>>();
}

template <class T = double>
tensor::buffer<T, 2> matrix(nlohmann::json const& of, char const* key) {
    auto const rows = of.at(key).get<std::vector<std::vector<T>>>();
    tensor::buffer<T, 2> result({static_cast<index>(rows.size()), static_cast<index>(rows.at(0).size())});
    for (std::size_t r = 0; r < rows.size(); ++r)
        std::copy(rows[r].begin(), rows[r].end(), result[static_cast<index>(r)].data());
    return result;
}

/// The largest |a − b|, relative to max(1, |b|); infinite for unequal lengths or where one alone is NaN.
template <class A, class B>
double largest_difference(A const& a, B const& b) {
    if (std::size(a) != std::size(b)) return INFINITY;
    double largest = 0;
    for (std::size_t i = 0; i < std::size(a); ++i) {
        double const x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
        double const difference = std::abs(x - y) / std::max(1.0, std::abs(y));
        if (std::isnan(difference)) return INFINITY;
        largest = std::max(largest, difference);
    }
    return largest;
}

}  // namespace plateau::testing
