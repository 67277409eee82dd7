#include <plateau/io/tensor_info.hpp>

#include "support/catch.hpp"

using namespace plateau::io;

TEST_CASE("a tensor's elements and shape", "[io][tensor_info]") {
    CHECK(element_count({"w", "F32", {2, 3, 4}}) == 24);
    CHECK(element_count({"w", "F32", {}}) == 1);
    CHECK(element_count({"w", "F32", {5, 0, 7}}) == 0);
    CHECK(to_string(std::vector<plateau::index>{2, 3}) == "[2, 3]");
    CHECK(to_string(std::vector<plateau::index>{}) == "[]");
}
