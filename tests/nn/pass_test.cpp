#include <plateau/nn/pass.hpp>

#include "support/catch.hpp"
#include "support/rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::tensor::view;
using testing::context;
using pass = nn::pass<context, float>;

constexpr nn::work_buffer some_buffer{"some"};

TEST_CASE("work matrices have the rows of the block", "[nn][pass]") {
    pass p{testing::one_thread};
    for (index const rows : {1, 65, 64, 7}) {
        auto const block = testing::positions(0, rows);
        p.begin(block, nullptr);
        CHECK(p.rows() == rows);
        CHECK(p.matrix(some_buffer, 5).extents() == std::array<index, 2>{rows, 5});
        CHECK(p.residual(3).data() == p.matrix(nn::residual_buffer, 3).data());
        for (float& value : p.matrix(some_buffer, 9).flat()) value = 1;  // all of it is memory
    }
}

TEST_CASE("the angles of a pass are those of its rows' positions", "[nn][pass]") {
    auto const first = nn::rope::standard(6, 1e4), second = nn::rope::standard(10, 1e3);
    auto rows = testing::positions(5, 3);
    testing::add_positions(rows, 7, 1);  // a position twice in a row
    testing::add_positions(rows, 0, 2, 1);
    pass p{testing::one_thread};
    auto const require_angles = [&](nn::rope const& rotary) {
        auto const [cosines, sines] = p.angles(rotary);
        for (index r = 0; r < p.rows(); ++r) {
            std::vector<float> c(static_cast<std::size_t>(rotary.half())), s(c);
            rotary.angles(rows.ids[static_cast<std::size_t>(r)].position, c.data(), s.data());
            CHECK(testing::same_bits(cosines[r].data(), c.data(), rotary.half()));
            CHECK(testing::same_bits(sines[r].data(), s.data(), rotary.half()));
        }
    };
    p.begin(rows, nullptr);
    for (auto const* rotary : {&first, &first, &second, &first}) require_angles(*rotary);
    for (auto& id : rows.ids) id.position += 100;
    p.begin(rows, nullptr);  // other rows: nothing of the old ones is kept
    require_angles(first);
}

TEST_CASE("a row's angles go by the length of its prompt", "[nn][pass]") {
    auto const dynamic = nn::rope::dynamic(6, 1e4, 2, 4), other = nn::rope::standard(6, 1e3);
    nn::rows rows;
    std::vector<token_id> const tokens(9, 0);
    rows.add_prompt(0, std::span{tokens}.first(3));
    rows.add_prompt(1, std::span{tokens}.first(6));
    rows.add(nn::rows::prompt_row(2, 5, 9), std::span{tokens}.first(2));  // a piece of a longer one
    rows.add(nn::rows::prompt_row(3, 6, 6 + 3), std::span{tokens}.first(1));
    hooks::row_id growing;
    growing.position = 6;
    rows.add(growing, std::span{tokens}.first(2));
    pass p{testing::one_thread};
    p.begin(rows, nullptr);
    CHECK_FALSE(p.has_angles(dynamic));
    auto const found = p.angles(dynamic);
    p.angles(other);  // a second rope leaves them
    CHECK((p.has_angles(dynamic) && p.has_angles(other)));
    std::vector<index> const lengths{3, 3, 3, 6, 6, 6, 6, 6, 6, 9, 9, 9, 8, 8};
    REQUIRE(found[0].extent(0) == static_cast<index>(lengths.size()));
    for (index r = 0; r < found[0].extent(0); ++r) {
        auto const row = static_cast<std::size_t>(r);
        std::vector<float> c(3), s(3);
        dynamic.angles(dynamic.frequencies(lengths[row]), rows.ids[row].position, c.data(), s.data());
        CHECK(testing::same_bits(found[0][r].data(), c.data(), 3));
        CHECK(testing::same_bits(found[1][r].data(), s.data(), 3));
    }
}

TEST_CASE("a hook sees the rows of the block alone, split into heads", "[nn][pass]") {
    std::vector<hooks::site> const sites{{hooks::site_id::q, 0, hooks::site_axes::heads, 2, 3}};
    testing::record<float> seen;
    hooks::plan<float> const plan{seen.watch("*"), sites};
    pass p{testing::one_thread};
    auto const five = testing::positions(0, 5);
    p.begin(five, &plan);
    auto const q = p.matrix(some_buffer, 6);
    float next = 0;
    for (float& value : q.flat()) value = next++;
    CHECK(p.wanted(hooks::site_id::q, 0));
    CHECK_FALSE(p.wanted(hooks::site_id::k, 0));
    p.hook(hooks::site_id::q, 0, q, 2);
    p.hook(hooks::site_id::k, 0, q, 2);  // nobody asked
    REQUIRE(seen.order.size() == 1);
    auto const& rows = seen.at("hook_q");
    CHECK(rows.extents() == std::array<index, 3>{5, 2, 3});
    CHECK(rows(4, 1, 2) == q(4, 5));
    p.begin(five, nullptr);
    CHECK_FALSE(p.wanted(hooks::site_id::q, 0));
}

TEST_CASE("hooks see the first rows of a block, if the others are not for them", "[nn][pass]") {
    std::vector<hooks::site> const sites{{hooks::site_id::q, 0, hooks::site_axes::heads, 2, 3}};
    testing::record<float> seen;
    hooks::plan<float> const plan{seen.watch("*"), sites};
    pass p{testing::one_thread};
    auto const five = testing::positions(0, 5);
    p.begin(five, &plan, 2);
    p.hook(hooks::site_id::q, 0, p.matrix(some_buffer, 6), 2);
    CHECK(seen.at("hook_q").extents() == std::array<index, 3>{2, 2, 3});
    p.without_hooks([&] { CHECK_FALSE(p.wanted(hooks::site_id::q, 0)); });
    CHECK(p.wanted(hooks::site_id::q, 0));
    CHECK(p.rows() == 5);
    CHECK(p.observed_ids().size() == 2);
    p.drop_unobserved();
    CHECK(p.rows() == 2);
    CHECK(p.ids().size() == 2);
    CHECK(p.matrix(some_buffer, 6).extents() == std::array<index, 2>{2, 6});
}

TEST_CASE("keys that a row sees at most: the longest sequence with its prefix", "[nn][pass]") {
    pass p{testing::one_thread};
    nn::kv_cache<context, float> const prefix{testing::one_thread, 0, 1, 9, 4};
    nn::rows several;
    testing::add_positions(several, 0, 3, 0);
    testing::add_positions(several, 9, 2, 1, &prefix);
    testing::add_positions(several, 0, 7, 2);
    p.begin(several, nullptr);
    CHECK(p.keys() == 11);
    auto const segments = p.segments(0);
    REQUIRE(segments.size() == 3);
    CHECK(segments[0].prefix() == 0);
    CHECK(segments[1].prefix() == 9);
    CHECK(segments[1].prefix_keys.data() == prefix.keys(0).data());
    CHECK(segments[1].prefix_values.data() == prefix.values(0).data());
    CHECK_THROWS_AS(p.segments(1), shape_error);  // the prefix has no keys of that layer
}

TEST_CASE("keys and values are recorded at their positions, as many as the cache holds", "[nn][pass]") {
    pass p{testing::one_thread};
    nn::kv_cache<context, float> kept{testing::one_thread, 0, 1, 4, 2};
    nn::rows two;
    testing::add_positions(two, 0, 1, 0);
    testing::add_positions(two, 2, 5, 1, &kept, &kept);  // positions 2..6 of a cache that ends at 4
    p.begin(two, nullptr);
    auto const keys = testing::random_buffer<float, 2>({6, 2}, 1), values = testing::random_buffer<float, 2>({6, 2}, 2);
    p.record(0, keys, values);
    p.record(1, keys, values);  // a layer that is not kept
    CHECK(kept.keys(0)(1, 0) == 0);
    for (index t = 0; t < 2; ++t) {
        CHECK(testing::same_bits(kept.keys(0)[2 + t].data(), keys[1 + t].data(), 2));
        CHECK(testing::same_bits(kept.values(0)[2 + t].data(), values[1 + t].data(), 2));
    }
}

TEST_CASE("a value that is not finite is reported with its layer, item and position", "[nn][pass]") {
    float const bad = GENERATE(std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                               std::numeric_limits<float>::quiet_NaN());
    pass p{testing::one_thread};
    auto const rows = testing::positions(4, 3, 17);
    p.begin(rows, nullptr);
    auto x = testing::random_buffer<float, 2>({3, 33}, 1, 1e30);
    CHECK_NOTHROW(p.check_finite(2, 5, x, "pair"));
    x(1, GENERATE(0, 32)) = bad;
    CHECK_THROWS_AS(p.check_finite(2, 5, x, "pair"), numeric_error);
    CHECK_THROWS_WITH(p.check_finite(2, 5, x, "pair"), testing::contains("layer 2, pair 17, position 5"));
}

}  // namespace
