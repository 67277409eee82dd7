#include <plateau/program/long_run/measured.hpp>

#include <algorithm>
#include <vector>

#include "support/catch.hpp"

namespace {

using namespace plateau::program;
using plateau::index;
using numbers = one_array<std::vector<double>>;

TEST_CASE("pieces are read one after the other, each time they are looked at; a whole is one piece",
          "[program][measured]") {
    numbers const all{{1, 2, 3, 4, 5}};
    std::vector<chunk_place> const places{{0, 0, 2}, {0, 2, 2}, {0, 4, 1}};
    std::vector<index> reads;
    measured<numbers> const stored{stored_pieces{places, [&](chunk_place const& where) {
                                                     reads.push_back(where.first);
                                                     return bytes_of(raw_arrays(all), where.first, where.count, 5);
                                                 }}};
    CHECK(stored.size() == 3);
    CHECK(reads.empty());
    std::vector<std::size_t> sizes;
    for (auto const& one : stored) sizes.push_back(one.values.size());
    CHECK(sizes == std::vector<std::size_t>{2, 2, 1});
    CHECK(reads == std::vector<index>{0, 2, 4});
    CHECK(gathered(stored, &numbers::values) == all.values);
    CHECK(gathered(stored, [](numbers const& one) { return std::vector<index>{std::ssize(one.values)}; }) ==
          std::vector<index>{2, 2, 1});
    CHECK(reads.size() == 9);

    measured<numbers> const whole{all};
    CHECK(whole.size() == 1);
    CHECK(gathered(whole, &numbers::values) == all.values);
}

}  // namespace
