#pragma once
/// Plain-text tables for results on standard output.

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>

namespace plateau {

/// A value with a fixed number of decimals, "3.92"; what is not finite becomes "nan", "inf" or "-inf".
std::string fixed(double value, int decimals);

/// A table of text with a head line:
///     pair  max slope  place
///     ----  ---------  -----
///        0       3.92  0.439
/// Columns are as wide as their widest cell and two blanks apart. A column whose cells are all numbers
/// (empty cells and "-" aside) is right-aligned, its name with it. No line ends with blanks.
class table {
public:
    explicit table(std::vector<std::string> header) : header_{std::move(header)} {}

    /// @throws shape_error unless there is one cell per column
    table& row(std::vector<std::string> cells);

    /// Every line ends with a newline. Widths count code points of UTF-8.
    std::string render() const;

private:
    struct column {
        std::size_t width;
        bool numbers;
    };

    static std::size_t width_of(std::string_view text);
    static bool is_number(std::string_view text);
    column measure(std::size_t at) const;
    static std::string line(std::vector<std::string> const& cells, std::vector<column> const& columns);

    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace plateau

#if !PLATEAU_COMPILED
#include <plateau/core/impl/table.ipp>
#endif
