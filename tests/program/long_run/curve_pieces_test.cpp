#include <plateau/program/long_run/curve_pieces.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <plateau/paths/grid.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/scratch.hpp"

namespace {

using namespace plateau::program;
using plateau::index;
using plateau::testing::bytes_of;
using plateau::testing::scratch_dir;
namespace sweep = plateau::sweep;
using curves = one_array<plateau::tensor::buffer<double, 2>>;

manifest const leaves{
    .axes = "P pairs, S steps", .files = {{"relative.npy", "float64 [P,S]", "d(alpha)/d(1)"}}, .summary = "none"};

/// Those of some pairs; the first `still` of them do not move.
curves random_curves(index pairs, index steps, index still) {
    curves all{plateau::testing::random_buffer<double, 2>({pairs, steps}, 3)};
    for (index p = 0; p < pairs; ++p) {
        for (double& x : all.values[p].flat()) x = p < still ? 0 : std::abs(x);
        all.values(p, 0) = 0;
    }
    return all;
}

measured<curves> in_pieces(curves const& all, index size) {
    stored_pieces stored;
    index const pairs = all.values.extent(0);
    for (index first = 0; first < pairs; first += size)
        stored.places.push_back({0, first, std::min(size, pairs - first)});
    stored.read = [&all, pairs](chunk_place const& where) {
        return plateau::program::bytes_of(raw_arrays(all), where.first, where.count, pairs);
    };
    return measured<curves>{stored};
}

bool same(std::vector<double> const& a, std::vector<double> const& b) {
    return std::ranges::equal(a, b, [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

TEST_CASE("curves of pieces have the numbers and the files of all of them", "[program][curve_pieces]") {
    index const pairs = 7, steps = 5;
    auto const all = random_curves(pairs, steps, 3);  // a first piece without a pair that moves
    auto const found = in_pieces(all, GENERATE(1, 2, 3, 7));
    auto const alpha = plateau::paths::even_grid(0, 1, steps);
    auto const expected = sweep::transitions_of(alpha, all.values, 0);
    curve_pieces const of{found, 0, &curves::values};
    auto const numbers = of.numbers(alpha);
    CHECK(numbers.degenerate == 3);
    CHECK(same(numbers.max_slope, expected.max_slope));
    CHECK(same(numbers.alpha_jump, expected.alpha_jump));
    CHECK(same(numbers.width, expected.width));

    std::vector<double> rows;
    index next = 0;
    of.rows(pairs, steps).each([&](index p, std::span<double const> curve) {
        CHECK(p == next++);
        rows.insert(rows.end(), curve.begin(), curve.end());
    });
    CHECK(same(rows, expected.relative));

    scratch_dir const dir;
    outputs out{leaves, dir / "out"};
    out.axis("P", pairs), out.axis("S", steps);
    of.write_relative(out);
    out.publish({}, {});
    CHECK(same(plateau::io::read_npy<double>(dir / "out/relative.npy").values, expected.relative));

    std::vector<plateau::engine::prompt_pair> names;
    for (index p = 0; p < pairs; ++p) names.push_back({p, p + 1});
    for (auto const* const how : {"pieces", "whole"}) {
        plateau::atomic_file file{dir / how};
        if (std::string(how) == "pieces") of.write_csv(names, alpha, file);
        else sweep::write_csv(names, 0, alpha, all.values, expected.relative, file);
        file.commit();
    }
    CHECK(bytes_of(dir / "pieces") == bytes_of(dir / "whole"));
}

TEST_CASE("only where no pair of any piece moves there are no numbers", "[program][curve_pieces]") {
    auto const all = random_curves(4, 3, 4);
    auto const found = in_pieces(all, 2);
    curve_pieces const of{found, 0, &curves::values};
    CHECK_THROWS_WITH(of.numbers({0, 0.5, 1}), plateau::testing::contains("all 4 pairs are degenerate"));
}

}  // namespace
