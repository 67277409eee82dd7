#include <plateau/nn/hooked_rows.hpp>

#include "support/catch.hpp"
#include "support/rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using testing::context;
using hooked = nn::hooked_rows<context, double>;

hooks::site const heads_of_q{hooks::site_id::q, 1, hooks::site_axes::heads, 2, 3};

TEST_CASE("a hook sees rows by head, and changes them in place", "[nn][hooked_rows]") {
    auto x = testing::random_buffer<double, 2>({4, 6}, 1);
    auto const before = x.clone();
    auto const block = testing::positions(5, 4);
    backend::host_copies<context, double> copies{testing::one_thread};
    hooked here{copies, heads_of_q, block.ids, x, 2};
    CHECK(here.count() == 4);
    CHECK(here.shape == std::array<index, 2>{2, 3});
    CHECK(&here.at == &heads_of_q);
    CHECK(here.rows[3].position == 8);
    auto const seen = here.read();
    CHECK(seen.extents() == std::array<index, 3>{4, 2, 3});
    CHECK(seen(3, 1, 2) == before(3, 5));
    here.change()(2, 1, 0) = 7;
    here.finish();
    CHECK(x(2, 3) == 7);
    x(2, 3) = before(2, 3);
    CHECK(testing::same_rows(x, before));
}

TEST_CASE("edits and distances count over all of a row", "[nn][hooked_rows]") {
    auto x = testing::random_buffer<double, 2>({3, 6}, 2);
    auto const before = x.clone();
    auto const block = testing::positions(0, 3);
    backend::host_copies<context, double> copies{testing::one_thread};
    hooked here{copies, heads_of_q, block.ids, x, 2};
    std::vector<double> distances(3);
    here.distances(std::vector<index>{0, 0, 1}, distances);
    for (index const r : {1, 2}) {
        double sum = 0;
        for (index i = 0; i < 6; ++i) sum += (x(r, i) - x(r - 1, i)) * (x(r, i) - x(r - 1, i));
        CHECK_THAT(distances[static_cast<std::size_t>(r)], testing::WithinRel(std::sqrt(sum), 1e-14));
    }
    CHECK(distances[0] == 0);
    std::vector<backend::row_edit> const edits{{1, 3, 2, 0, backend::edit_kind::add}};  // the second head's first two
    std::vector<double> const values{10, 20};
    here.edit(edits, values);
    CHECK(x(1, 3) == before(1, 3) + 10);
    CHECK(x(1, 4) == before(1, 4) + 20);
    x(1, 3) = before(1, 3), x(1, 4) = before(1, 4);
    CHECK(testing::same_rows(x, before));
}

TEST_CASE("sign codes are of all values of a row", "[nn][hooked_rows]") {
    auto x = testing::random_buffer<double, 2>({3, 6}, 4);
    auto const block = testing::positions(0, 3);
    backend::host_copies<context, double> copies{testing::one_thread};
    hooked here{copies, heads_of_q, block.ids, x, 2};
    here.change()(1, 0, 2) = -1;
    here.change()(1, 1, 2) = 1;
    tensor::buffer<std::uint64_t, 2> codes({3, 1});
    here.sign_codes(codes);  // of what was changed
    for (index r = 0; r < 3; ++r) {
        for (index i = 0; i < 6; ++i) CHECK((codes(r, 0) >> i & 1) == (x(r, i) > 0));
    }
    tensor::buffer<std::uint64_t, 2> wide({3, 2});
    CHECK_THROWS_AS(here.sign_codes(wide), shape_error);
}

TEST_CASE("rows of scores have no distances: their widths differ", "[nn][hooked_rows]") {
    auto x = testing::random_buffer<double, 2>({3, 6}, 2);
    auto const block = testing::positions(0, 3);
    hooks::site const scores{hooks::site_id::attn_scores, 1, hooks::site_axes::keys, 2, 0};
    backend::host_copies<context, double> copies{testing::one_thread};
    hooked here{copies, scores, block.ids, x, 2};
    std::vector<double> distances(3);
    CHECK_THROWS_AS(here.distances(std::vector<index>{0, 0, 0}, distances), site_error);
}

}  // namespace
