#include <plateau/corpus/triples.hpp>

#include "support/catch.hpp"

namespace {

using namespace plateau::corpus;
using triples = std::vector<triple>;

TEST_CASE("triples are chained, disjoint, of rows or of pairs", "[corpus][triples]") {
    CHECK(chain_triples(4) == triples{{0, 1, 2}, {1, 2, 3}});
    CHECK(disjoint_triples(7) == triples{{0, 1, 2}, {3, 4, 5}});
    CHECK(chain_triples(2).empty());
    CHECK(disjoint_triples(2).empty());
    CHECK(triples_of_rows(std::vector<plateau::index>{5, 4, 3, 0, 1, 2}) == triples{{5, 4, 3}, {0, 1, 2}});
    CHECK(triples_of_pairs(std::vector<plateau::index>{0, 1, 1, 2, 5, 0}) == triples{{0, 1, 2}, {1, 2, 0}, {5, 0, 1}});
}

}  // namespace
