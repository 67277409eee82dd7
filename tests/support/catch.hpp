#pragma once
/// Catch2, version 2 or 3, under one name. What both understand, and what the tests keep to: TEST_CASE,
/// TEMPLATE_TEST_CASE, SECTION, DYNAMIC_SECTION, GENERATE, CHECK and REQUIRE with their _THROWS_AS, _THROWS_WITH,
/// _THAT and _FALSE forms, STATIC_REQUIRE, CAPTURE, INFO, WARN, and the names below.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_adapters.hpp>
#include <catch2/generators/catch_generators_random.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <string>

namespace plateau::testing {

using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

/// Matches text that contains `part`.
inline auto contains(std::string const& part) {
#if __has_include(<catch2/catch_all.hpp>)
    return Catch::Matchers::ContainsSubstring(part);
#else
    return Catch::Matchers::Contains(part);
#endif
}

}  // namespace plateau::testing

/// Ends a test case that lacks something of the machine or of the environment, saying what. It counts as passed.
#define PLATEAU_SKIP(reason)           \
    do {                               \
        WARN("skipped: " << (reason)); \
        SUCCEED();                     \
        return;                        \
    } while (false)
