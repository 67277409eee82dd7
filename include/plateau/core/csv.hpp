#pragma once
/// Lines of CSV files.

#include <array>
#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>

namespace plateau {

/// One cell: text as it is, an integer, or a floating-point number with digits that give back the same bits; "nan" of
/// either sign.
inline std::string csv_cell(std::string_view text) { return std::string{text}; }
template <std::integral Integer>
std::string csv_cell(Integer number) {
    return std::to_string(number);
}
template <std::floating_point Number>
std::string csv_cell(Number number) {
    std::array<char, 40> digits{};
    std::snprintf(digits.data(), digits.size(), "%.17g", static_cast<double>(number));
    return number != number ? "nan" : digits.data();
}

/// Cells with commas between them and a newline at the end. Cells hold no comma, quote or newline.
template <class First, class... Others>
std::string csv_line(First const& first, Others const&... others) {
    std::string line = csv_cell(first);
    ((line.append(1, ',').append(csv_cell(others))), ...);
    return line + '\n';
}

}  // namespace plateau
