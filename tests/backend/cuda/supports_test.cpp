#include <fstream>
#include <iterator>
#include <string>

#include <plateau/backend/cpu.hpp>
#include <plateau/backend/cuda.hpp>

#include "backend/operations.hpp"
#include "support/baked.hpp"
#include "support/catch.hpp"

namespace {

using namespace plateau;
using backend::op;

TEMPLATE_TEST_CASE("both backends have the operations that they say they have", "[cuda][supports]", float, double) {
    CHECK(testing::disagreements<backend::cpu_context, TestType>().empty());
    CHECK(testing::disagreements<backend::cuda_context, TestType>().empty());
    for (op const one : backend::operations) {
        CAPTURE(name_of(one));
        CHECK(backend::supports<backend::cpu_context, TestType>(one));
        CHECK(backend::supports<backend::cuda_context, TestType>(one));
    }
}

TEST_CASE("who computes nothing, and whole numbers on a device, have no operation", "[cuda][supports]") {
    for (op const one : backend::operations) {
        CAPTURE(name_of(one));
        CHECK_FALSE(backend::supports<testing::idle_context, float>(one));
        CHECK_FALSE(testing::compiles<testing::idle_context, float>(one));
        CHECK_FALSE(backend::supports<backend::cuda_context, int>(one));
        // the linker has no memory operation of whole numbers to miss, they are templates of the header
        if (one != op::memory) CHECK_FALSE(testing::compiles<backend::cuda_context, int>(one));
    }
}

/// Operations × backends and types, as the README has it.
std::string table() {
    std::string text = "| operation | cpu, float | cpu, double | cuda, float | cuda, double |\n|---|---|---|---|---|\n";
    for (op const one : backend::operations) {
        text.append("| ").append(name_of(one));
        using namespace backend;
        for (bool const there : {supports<cpu_context, float>(one), supports<cpu_context, double>(one),
                                 supports<cuda_context, float>(one), supports<cuda_context, double>(one)}) {
            text.append(there ? " | yes" : " | no");
        }
        text.append(" |\n");
    }
    return text;
}

TEST_CASE("the README has the table of operations", "[cuda][supports]") {
    std::ifstream file{std::string(baked::tests) + "/../include/plateau/README.md"};
    std::string const readme{std::istreambuf_iterator<char>{file}, {}};
    REQUIRE_FALSE(readme.empty());
    if (readme.find(table()) == std::string::npos) FAIL("it should be\n" << table());
}

}  // namespace
