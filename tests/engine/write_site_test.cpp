#include <plateau/engine/write_site.hpp>

#include "support/catch.hpp"

namespace {

namespace hooks = plateau::hooks;
namespace engine = plateau::engine;
using hooks::site_axes;
using hooks::site_id;
using plateau::testing::contains;

/// Two blocks with a few of their sites.
std::vector<hooks::site> sites() {
    std::vector<hooks::site> all{{site_id::embed, -1, site_axes::vector, 1, 8}};
    for (int layer : {0, 1}) {
        all.push_back({site_id::resid_pre, layer, site_axes::vector, 1, 8});
        all.push_back({site_id::q, layer, site_axes::heads, 2, 4});
        all.push_back({site_id::pattern, layer, site_axes::keys, 2, 0});
        all.push_back({site_id::resid_post, layer, site_axes::vector, 1, 8});
    }
    all.push_back({site_id::ln_final_out, -1, site_axes::vector, 1, 8});
    return all;
}

TEST_CASE("rows start where the write site lets them", "[engine][write_site]") {
    auto const post = engine::resolve_write_site(sites(), "blocks.0.hook_resid_post");
    CHECK(post.first_layer == 1);
    CHECK(post.direct);
    auto const pre = engine::resolve_write_site(sites(), "blocks.1.hook_resid_pre");
    CHECK(pre.first_layer == 1);
    CHECK(pre.direct);
    auto const q = engine::resolve_write_site(sites(), "blocks.1.attn.hook_q");
    CHECK(q.first_layer == 1);
    CHECK_FALSE(q.direct);
    CHECK(q.width() == 8);
    auto const embed = engine::resolve_write_site(sites(), "hook_embed");
    CHECK(embed.first_layer == 0);
    CHECK_FALSE(embed.direct);
}

TEST_CASE("what no path can write to is refused", "[engine][write_site][errors]") {
    CHECK_THROWS_WITH(engine::resolve_write_site(sites(), "blocks.0.attn.hook_pattern"),
                      contains("cannot be a write site"));
    CHECK_THROWS_WITH(engine::resolve_write_site(sites(), "ln_final.hook_out"), contains("cannot be a write site"));
    CHECK_THROWS_WITH(engine::resolve_write_site(sites(), "blocks.2.hook_resid_pre"), contains("nearest"));
}

TEST_CASE("reading comes at or after writing", "[engine][write_site][errors]") {
    auto const write = engine::resolve_write_site(sites(), "blocks.1.attn.hook_q");
    auto const check = [&](char const* read) {
        engine::require_read_after_change(sites(), {write.at}, hooks::find_site(sites(), read), write);
    };
    CHECK_NOTHROW(check("blocks.1.attn.hook_q"));
    CHECK_NOTHROW(check("ln_final.hook_out"));
    CHECK_THROWS_WITH(check("blocks.1.hook_resid_pre"), contains("before the write site"));
    CHECK_THROWS_WITH(check("blocks.0.hook_resid_post"), contains("blocks.0.hook_resid_post"));
}

}  // namespace
