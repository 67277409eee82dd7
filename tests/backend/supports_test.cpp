#include <plateau/backend/cpu.hpp>

#include <set>

#include "backend/operations.hpp"
#include "support/catch.hpp"

namespace {

using namespace plateau;
using backend::op;
using backend::supports;

TEMPLATE_TEST_CASE("the CPU has the operations that it says it has", "[backend]", float, double) {
    CHECK(testing::disagreements<backend::cpu_context, TestType>().empty());
    CHECK(supports<backend::cpu_context, TestType>(op::linear));
    CHECK(supports<backend::cpu_context, TestType>(op::memory));
}

TEST_CASE("who computes nothing has no operation", "[backend]") {
    for (op const one : backend::operations) {
        CAPTURE(name_of(one));
        CHECK_FALSE(supports<testing::idle_context, float>(one));
        CHECK_FALSE(testing::compiles<testing::idle_context, float>(one));
    }
    CHECK(testing::disagreements<testing::idle_context, float>().empty());
}

TEST_CASE("operations have names of their own", "[backend]") {
    std::set<std::string_view> names;
    for (op const one : backend::operations) names.insert(name_of(one));
    CHECK(names.size() == backend::operations.size());
    CHECK(name_of(op::linear) == "linear");
    CHECK(name_of(op::attend) == "attend");
    CHECK(name_of(op::not_finite) == "not_finite");
    CHECK(name_of(op::memory) == "memory");
}

}  // namespace
