#include <plateau/program/long_run/pieces.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <plateau/core/rng.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau::program;
using plateau::counter_rng;
using plateau::index;
using plateau::tensor::buffer;

struct crossing {
    index gate;
    float place;
    bool operator==(crossing const&) const = default;
};

/// Arrays of every kind that results have.
struct all_kinds {
    buffer<double, 2> rows;                    // [P,S]
    buffer<float, 3> held;                     // [K,P,S]
    buffer<index, 4> deep;                     // [2,3,P,W]
    buffer<double, 3> none;                    // not wanted
    std::vector<index> several;                // two of a thing
    std::vector<double> shared;                // of all things together
    std::vector<std::vector<crossing>> lists;  // of different lengths
    std::vector<std::vector<index>> no_lists;
    std::vector<buffer<double, 2>> sites;  // [P,S] each

    template <class Self, class Visit>
    static void each_array(Self& self, Visit const& visit) {
        visit(self.rows), visit(self.held, 1), visit(self.deep, 2), visit(self.none, 1), visit(self.several);
        visit(self.shared, -1), visit(self.lists), visit(self.no_lists), visit(self.sites);
    }
};

all_kinds random_results(index things, counter_rng& rng) {
    using plateau::testing::random_buffer;
    auto const extent = [&](index most) { return static_cast<index>(rng.below(static_cast<std::uint64_t>(most) + 1)); };
    index const points = extent(4), sets = extent(3);
    all_kinds all{random_buffer<double, 2>({things, points}, rng.next()),
                  random_buffer<float, 3>({sets, things, points}, rng.next()),
                  random_buffer<index, 4>({2, 3, things, extent(3)}, rng.next(), 100),
                  {},
                  {},
                  plateau::testing::random_vector<double>(extent(5), rng.next()),
                  {},
                  {},
                  {}};
    for (index i = 0; i < 2 * things; ++i) all.several.push_back(static_cast<index>(rng.next()));
    for (index i = 0; i < things; ++i) {
        auto& list = all.lists.emplace_back(rng.below(4));
        for (auto& one : list) one = {static_cast<index>(rng.below(100)), static_cast<float>(rng.uniform())};
    }
    for (index k = extent(3); k > 0; --k) all.sites.push_back(random_buffer<double, 2>({things, points}, rng.next()));
    return all;
}

template <class T, std::size_t Rank>
void check_same(buffer<T, Rank> const& a, buffer<T, Rank> const& b) {
    REQUIRE(a.extents() == b.extents());
    CHECK(std::ranges::equal(a.flat(), b.flat()));
}

void check_same(all_kinds const& a, all_kinds const& b) {
    check_same(a.rows, b.rows), check_same(a.held, b.held), check_same(a.deep, b.deep), check_same(a.none, b.none);
    CHECK(a.several == b.several);
    CHECK(a.shared == b.shared);
    CHECK(a.lists == b.lists);
    CHECK(a.no_lists == b.no_lists);
    REQUIRE(a.sites.size() == b.sites.size());
    for (std::size_t k = 0; k < a.sites.size(); ++k) check_same(a.sites[k], b.sites[k]);
}

/// The results cut at random and joined. Pieces are stored as bytes.
template <class Results>
Results cut_and_joined(Results const& whole, index things, counter_rng& rng) {
    std::vector<std::vector<std::byte>> stored;
    for (index first = 0; first < things;) {
        index const count = 1 + static_cast<index>(rng.below(static_cast<std::uint64_t>(things - first)));
        stored.push_back(bytes_of(raw_arrays(whole), first, count, things));
        first += count;
    }
    pieces all;
    for (auto const& one : stored) all.push_back(arrays_in(one));
    return joined<Results>(all);
}

TEST_CASE("results cut in pieces and joined are what they were, piece of a piece too", "[program][pieces]") {
    counter_rng rng{static_cast<std::uint64_t>(GENERATE(range(1, 60)))};
    index const things = 1 + static_cast<index>(rng.below(12));
    auto const whole = random_results(things, rng);
    check_same(cut_and_joined(whole, things, rng), whole);
    index const half = (things + 1) / 2;
    auto const part = joined<all_kinds>({arrays_in(bytes_of(raw_arrays(whole), 0, half, things))});
    check_same(cut_and_joined(part, half, rng), part);
}

TEST_CASE("what is no piece, or no piece of these results, is an error", "[program][pieces]") {
    using plateau::file_error;
    counter_rng rng{7};
    auto const whole = random_results(4, rng);
    auto const bytes = bytes_of(raw_arrays(whole), 0, 4, 4);
    for (std::size_t size = 1; size < bytes.size(); size += 7) {
        std::vector<std::byte> const part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
        CAPTURE(size);
        // an end between two arrays is seen where they are joined
        CHECK_THROWS_AS(joined<all_kinds>({arrays_in(part)}), file_error);
    }
    for (int trial = 0; trial < 200; ++trial) {  // nothing is read that is not there, whatever the numbers say
        auto other = bytes;
        other[rng.below(other.size())] = static_cast<std::byte>(rng.below(256));
        try {
            (void)joined<all_kinds>({arrays_in(other)});
        } catch (file_error const&) {}
    }
    using rows = one_array<buffer<double, 2>>;
    rows const wide{buffer<double, 2>({2, 3})}, narrow{buffer<double, 2>({2, 4})};
    auto const a = bytes_of(raw_arrays(wide), 0, 2, 2), b = bytes_of(raw_arrays(narrow), 0, 2, 2);
    CHECK_THROWS_AS(joined<rows>({arrays_in(a), arrays_in(b)}), file_error);
    CHECK_THROWS_AS((joined<one_array<buffer<float, 2>>>({arrays_in(a)})), file_error);
    CHECK_THROWS_AS((joined<one_array<buffer<double, 3>>>({arrays_in(a)})), file_error);
    CHECK_THROWS_AS(bytes_of(raw_arrays(wide), 0, 1, 3), std::logic_error);
}

}  // namespace
