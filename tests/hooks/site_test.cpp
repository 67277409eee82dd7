#include <plateau/hooks/site.hpp>

#include <set>

#include "support/catch.hpp"

namespace {

using plateau::hooks::in_block;
using plateau::hooks::short_name;
using plateau::hooks::site;
using plateau::hooks::site_axes;
using plateau::hooks::site_count;
using plateau::hooks::site_id;

/// TransformerLens' names in the order in which its hooks fire; `lnX.hook_out` is ours.
std::vector<std::string> const names_in_order{
    "hook_embed",
    "hook_pos_embed",
    "blocks.7.hook_resid_pre",
    "blocks.7.hook_attn_in",
    "blocks.7.hook_q_input",
    "blocks.7.hook_k_input",
    "blocks.7.hook_v_input",
    "blocks.7.ln1.hook_scale",
    "blocks.7.ln1.hook_normalized",
    "blocks.7.ln1.hook_out",
    "blocks.7.attn.hook_q",
    "blocks.7.attn.hook_k",
    "blocks.7.attn.hook_v",
    "blocks.7.attn.q_norm.hook_scale",
    "blocks.7.attn.q_norm.hook_normalized",
    "blocks.7.attn.q_norm.hook_out",
    "blocks.7.attn.k_norm.hook_scale",
    "blocks.7.attn.k_norm.hook_normalized",
    "blocks.7.attn.k_norm.hook_out",
    "blocks.7.attn.hook_rot_q",
    "blocks.7.attn.hook_rot_k",
    "blocks.7.attn.hook_attn_scores",
    "blocks.7.attn.hook_pattern",
    "blocks.7.attn.hook_z",
    "blocks.7.attn.hook_result",
    "blocks.7.ln1_post.hook_scale",
    "blocks.7.ln1_post.hook_normalized",
    "blocks.7.ln1_post.hook_out",
    "blocks.7.hook_attn_out",
    "blocks.7.hook_resid_mid",
    "blocks.7.hook_mlp_in",
    "blocks.7.ln2.hook_scale",
    "blocks.7.ln2.hook_normalized",
    "blocks.7.ln2.hook_out",
    "blocks.7.mlp.hook_pre",
    "blocks.7.mlp.hook_pre_linear",
    "blocks.7.mlp.hook_post",
    "blocks.7.ln2_post.hook_scale",
    "blocks.7.ln2_post.hook_normalized",
    "blocks.7.ln2_post.hook_out",
    "blocks.7.hook_mlp_out",
    "blocks.7.hook_resid_post",
    "ln_final.hook_scale",
    "ln_final.hook_normalized",
    "ln_final.hook_out",
    "unembed.hook_in",
    "unembed.hook_out",
    "hook_logits",
};

site site_of(std::size_t i) {
    auto const id = static_cast<site_id>(i);
    return {id, in_block(id) ? 7 : -1, site_axes::vector, 1, 16};
}

TEST_CASE("sites bear TransformerLens' names, in firing order", "[hooks][site]") {
    REQUIRE(site_count == names_in_order.size());
    for (std::size_t i = 0; i < site_count; ++i) CHECK(site_of(i).name() == names_in_order[i]);
}

TEST_CASE("names are unique, over layers too", "[hooks][site]") {
    std::set<std::string> names;
    for (std::size_t i = 0; i < site_count; ++i) {
        auto one = site_of(i);
        names.insert(one.name());
        if (one.layer < 0) continue;
        one.layer = 71;
        names.insert(one.name());
    }
    std::size_t const outside = 8;
    CHECK(names.size() == (site_count - outside) * 2 + outside);
}

TEST_CASE("the sites of a block are those whose name says so", "[hooks][site]") {
    for (std::size_t i = 0; i < site_count; ++i) {
        CHECK(in_block(static_cast<site_id>(i)) == (names_in_order[i].rfind("blocks.", 0) == 0));
    }
    STATIC_REQUIRE(in_block(site_id::resid_pre));
    STATIC_REQUIRE_FALSE(in_block(site_id::ln_final_scale));
}

TEST_CASE("shapes are TransformerLens' shapes", "[hooks][site]") {
    CHECK(site{site_id::resid_post, 0, site_axes::vector, 1, 576}.shape_text() == "[N,T,576]");
    CHECK(site{site_id::ln1_scale, 0, site_axes::vector, 1, 1}.shape_text() == "[N,T,1]");
    CHECK(site{site_id::q, 0, site_axes::heads, 9, 64}.shape_text() == "[N,T,9,64]");
    CHECK(site{site_id::k, 0, site_axes::heads, 3, 64}.shape_text() == "[N,T,3,64]");
    CHECK(site{site_id::pattern, 0, site_axes::keys, 9, 0}.shape_text() == "[N,9,T,T]");
}

TEST_CASE("a part of one's own has hook points of its own, each with its number and its name", "[hooks][site]") {
    using plateau::hooks::own_site;
    STATIC_REQUIRE(in_block(own_site(0)));
    STATIC_REQUIRE(in_block(own_site(plateau::hooks::own_sites - 1)));
    STATIC_REQUIRE_FALSE(plateau::hooks::after_blocks(own_site(0)));
    auto const own = [](int number, int layer, std::string_view name) {
        return site{own_site(number), layer, site_axes::vector, 1, 40, name};
    };
    CHECK(own(0, 3, "mlp.hook_squared").name() == "blocks.3.mlp.hook_squared");
    std::vector<site> sites{site_of(2)};
    for (int const layer : {7, 8}) {
        add_site(sites, own(0, layer, "mlp.hook_squared"));
        add_site(sites, own(1, layer, "mlp.hook_gate"));
    }
    CHECK(sites.size() == 5);
    CHECK_THROWS_AS(add_site(sites, own(1, 8, "attn.hook_sink")), plateau::usage_error);
    CHECK_THROWS_WITH(add_site(sites, own(0, 8, "attn.hook_sink")),
                      plateau::testing::contains("blocks.8.mlp.hook_squared") &&
                          plateau::testing::contains("blocks.8.attn.hook_sink"));
}

TEST_CASE("names are known at compile time", "[hooks][site]") {
    STATIC_REQUIRE(short_name(site_id::rot_q) == "attn.hook_rot_q");
    STATIC_REQUIRE(short_name(site_id::unembed_out) == "unembed.hook_out");
}

}  // namespace
