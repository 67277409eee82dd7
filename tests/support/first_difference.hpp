#pragma once
/// The first place where two results differ, as text for a failed check.

#include <cmath>
#include <cstddef>
#include <iomanip>
#include <limits>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace plateau::testing {

namespace detail {

template <class T>
void print(std::ostream& out, T const& value) {
    out << value;
}
template <class... Parts>
void print(std::ostream& out, std::tuple<Parts...> const& key) {
    std::apply([&](auto const&... part) { ((out << part << ' '), ...); }, key);
}
template <class A, class B>
void print(std::ostream& out, std::pair<A, B> const& key) {
    out << key.first << ' ' << key.second << ' ';
}

}  // namespace detail

/// Empty if the two are equal, and else where they first differ: "at 3, 17: 0.25 and 0.5; 12 of 64 differ". For
/// numbers, texts, and ranges or maps of these, of any depth. CHECK(first_difference(got, wanted) == "") shows it.
template <class A, class B>
std::string first_difference(A const& got, B const& wanted) {
    if constexpr (requires { typename A::mapped_type; }) {
        for (auto const& [key, value] : got) {
            std::ostringstream text;
            text << "at ";
            detail::print(text, key);
            auto const other = wanted.find(key);
            if (other == wanted.end()) return text.str() + ": not wanted";
            if (auto const below = first_difference(value, other->second); !below.empty()) return text.str() + below;
        }
        for (auto const& [key, value] : wanted) {
            if (got.contains(key)) continue;
            std::ostringstream text;
            text << "at ";
            detail::print(text, key);
            return text.str() + ": missing";
        }
        return {};
    } else if constexpr (requires { got.begin(), got.size(); } && !std::is_convertible_v<A const&, std::string>) {
        if (got.size() != wanted.size()) {
            return "of " + std::to_string(got.size()) + " and " + std::to_string(wanted.size()) + " elements";
        }
        std::string first;
        std::size_t place = 0, differ = 0;
        auto other = wanted.begin();
        for (auto const& value : got) {
            if (auto const below = first_difference(value, *other); !below.empty() && differ++ == 0) {
                first = "at " + std::to_string(place) + ": " + below;
            }
            ++place, ++other;
        }
        if (differ == 0) return {};
        return first + "; " + std::to_string(differ) + " of " + std::to_string(place) + " differ";
    } else {
        if (got == wanted) return {};
        std::ostringstream text;
        text << std::setprecision(std::numeric_limits<double>::max_digits10) << got << " and " << wanted;
        return text.str();
    }
}

}  // namespace plateau::testing
