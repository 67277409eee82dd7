#pragma once
/// Tables in which every number has its interval, as text and as CSV.

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/csv.hpp>
#include <plateau/core/table.hpp>
#include <plateau/statistics/interval.hpp>

namespace plateau::statistics {

/// "4.93 [4.35, 5.49]"; the value alone where there is no interval, "-" where there is no value.
inline std::string with_interval(estimate const& x, int decimals) {
    auto const shown = [decimals](double number) {
        auto const text = fixed(number, decimals);
        return text.find_first_of("123456789ni") == std::string::npos && text[0] == '-' ? text.substr(1)
                                                                                        : text;  // no "-0.00"
    };
    if (std::isnan(x.value)) return "-";
    return shown(x.value) + (std::isnan(x.low) ? "" : " [" + shown(x.low) + ", " + shown(x.high) + "]");
}

/// One table on stdout, with intervals in brackets, and as CSV, where every quantity q has the columns q, q_low,
/// q_high.
class interval_table {
public:
    /// @param keys  names of the columns that say what a row is      @param quantities  of the others
    interval_table(std::vector<std::string> keys, std::vector<std::string> quantities, int decimals = 3)
        : keys_{std::move(keys)}, quantities_{std::move(quantities)}, decimals_{decimals} {}

    interval_table& row(std::vector<std::string> keys, std::vector<estimate> values) {
        rows_.push_back({std::move(keys), std::move(values)});
        return *this;
    }

    std::string render() const {
        auto header = keys_;
        header.insert(header.end(), quantities_.begin(), quantities_.end());
        table text{header};
        for (auto const& [keys, values] : rows_) {
            auto cells = keys;
            for (auto const& x : values) cells.push_back(with_interval(x, decimals_));
            text.row(cells);
        }
        return text.render();
    }

    /// Numbers with the digits that give back the same bits; commas of keys become semicolons.
    std::string csv() const {
        std::string text;
        auto const put = [&](std::string cell, bool last) {
            for (char& c : cell) c = c == ',' ? ';' : c;
            text += cell + (last ? "\n" : ",");
        };
        std::size_t const columns = keys_.size() + 3 * quantities_.size();
        std::size_t at = 0;
        auto const next = [&](std::string const& cell) { put(cell, ++at % columns == 0); };
        for (auto const& key : keys_) next(key);
        for (auto const& q : quantities_) next(q), next(q + "_low"), next(q + "_high");
        for (auto const& [keys, values] : rows_) {
            for (auto const& key : keys) next(key);
            for (auto const& x : values) {
                for (double const number : {x.value, x.low, x.high}) next(csv_cell(number));
            }
        }
        return text;
    }

private:
    std::vector<std::string> keys_, quantities_;
    int decimals_;
    std::vector<std::pair<std::vector<std::string>, std::vector<estimate>>> rows_;
};

}  // namespace plateau::statistics
