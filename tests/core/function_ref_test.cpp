#include <plateau/core/function_ref.hpp>

#include <string>

#include "support/catch.hpp"

namespace {

int twice(plateau::function_ref<int(int)> f) { return f(f(1)); }

}  // namespace

TEST_CASE("function_ref calls what it refers to, and copies of it call the same", "[core][function_ref]") {
    int calls = 0;
    auto const add = [&calls](int x) { return ++calls, x + 2; };
    CHECK(twice(add) == 5);
    CHECK(twice([](int x) { return 3 * x; }) == 9);
    plateau::function_ref<int(int)> const first = add;
    auto const second = first;
    CHECK(second(1) == 3);
    CHECK(calls == 3);
}

TEST_CASE("function_ref changes the state of what it refers to, and hands on references", "[core][function_ref]") {
    auto count = [n = 0]() mutable { return ++n; };
    plateau::function_ref<int()> const counted = count;
    counted();
    CHECK(counted() == 2);
    CHECK(count() == 3);
    std::string text = "a";
    plateau::function_ref<void(std::string&)> const append = [](std::string& to) { to += "b"; };
    append(text);
    CHECK(text == "ab");
}
