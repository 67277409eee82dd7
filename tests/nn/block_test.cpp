#include <plateau/nn/block.hpp>

#include "support/catch.hpp"
#include "support/rows.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::tensor::view;
using testing::context;
using testing::random_buffer;
using testing::same_bits;
using testing::same_rows;
using T = double;  // what is typed lies below the block and is tested there; the contract here is of bits

index const width = 12, rows = 7;
int const layer = 3;

using standard = nn::block<nn::norm<context, T>, nn::attention<context, T>, nn::mlp<context, T>>;

nn::attention<context, T> make_attention() {
    nn::attention<context, T> part;
    part.shape = {4, 2, 6, 1 / std::sqrt(6.0)};
    part.query = testing::random_linear<T>(24, width, true, 1);
    part.key = testing::random_linear<T>(12, width, true, 2);
    part.value = testing::random_linear<T>(12, width, true, 3);
    part.output = testing::random_linear<T>(width, 24, true, 4);
    part.rotary = std::make_shared<nn::rope>(nn::rope::standard(6, 1e4));
    return part;
}

nn::mlp<context, T> make_mlp() {
    nn::mlp<context, T> part;
    part.gated = true;
    part.gate = testing::random_linear<T>(21, width, false, 5);
    part.in = testing::random_linear<T>(21, width, false, 6);
    part.out = testing::random_linear<T>(width, 21, false, 7);
    return part;
}

nn::norm<context, T> make_norm(norm_kind kind, unsigned seed) {
    nn::norm<context, T> part{kind, 1e-5, random_buffer<T, 1>({width}, seed)};
    if (kind == norm_kind::layer) part.bias = random_buffer<T, 1>({width}, seed + 1);
    return part;
}

standard make(nn::order order) {
    standard block;
    block.attention.before = make_norm(norm_kind::rms, 8);
    block.attention.part = make_attention();
    block.mlp.before = make_norm(norm_kind::layer, 9);
    block.mlp.part = make_mlp();
    block.order = order;
    return block;
}

template <class Block>
std::vector<hooks::site> sites_of(Block const& block) {
    std::vector<hooks::site> sites;
    block.list(sites, layer, width);
    return sites;
}

template <class Block>
buffer<T, 2> forward(Block const& block, buffer<T, 2> const& x, hooks::hook_set<T> const& set = {},
                     nn::rows const& where = testing::positions(0, rows)) {
    buffer<T, 2> y(x.extents());
    testing::run_rows<T>(x, where, set, sites_of(block), [&](auto& pass) {
        block.forward(nn::layer_rows<context, T>{pass, layer}, pass.residual(width));
        y = testing::copy_of<T>(pass.residual(width), x.extent(0));
    });
    return y;
}

void require_sum(buffer<T, 3> const& a, buffer<T, 3> const& b, buffer<T, 3> const& sum) {
    for (index i = 0; i < sum.size(); ++i) REQUIRE(same_bits(a.data()[i] + b.data()[i], sum.data()[i]));
}

/// The hook contract of any block: every listed site fires once, in the listed order, with the listed extents; looking
/// changes no bit; writing back what was there changes no bit; writing something else changes the result.
template <class Block>
void require_hook_contract(Block const& block) {
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    auto const y = forward(block, x);
    testing::record<T> seen;
    auto const sites = sites_of(block);
    auto watch_all = seen.watch("*");
    for (auto const& at : sites) {
        if (hooks::explicit_only(at.id)) watch_all = watch_all | seen.watch(at.name());
    }
    CHECK(same_rows(forward(block, x, watch_all).view(), y.view()));
    REQUIRE(seen.order.size() == sites.size());
    for (std::size_t i = 0; i < sites.size(); ++i) {
        auto const name = sites[i].name();
        CAPTURE(name);
        CHECK(seen.order[i] == name);
        index const last = sites[i].axes == hooks::site_axes::keys ? rows : sites[i].width;
        CHECK(seen.seen.at(name).extents() == std::array<index, 3>{rows, sites[i].heads, last});
        CHECK(same_rows(forward(block, x, testing::replay(name, seen)).view(), y.view()));
        CHECK_FALSE(same_rows(forward(block, x, testing::multiply(name, 1.5)).view(), y.view()));
    }
    CHECK(same_rows(forward(block, x, testing::replay("*", seen)).view(), y.view()));
    CHECK(same_bits(seen.at("resid_pre").data(), x.data(), x.size()));
    CHECK(same_bits(seen.at("resid_post").data(), y.data(), y.size()));
}

TEST_CASE("every hook point of a block keeps the contract", "[nn][block]") {
    auto block = make(GENERATE(nn::order::sequential, nn::order::parallel));
    SECTION("norms before") {}
    SECTION("norms on both sides") {
        block.attention.after = make_norm(norm_kind::layer, 30);
        block.mlp.after = make_norm(norm_kind::rms, 31);
    }
    SECTION("norms after") {
        block.attention.after = make_norm(norm_kind::rms, 30);
        block.mlp.after = make_norm(norm_kind::rms, 31);
        block.attention.before.reset();
        block.mlp.before.reset();
    }
    SECTION("one norm before both, or before the attention alone") { block.mlp.before.reset(); }
    SECTION("an attention with everything") {
        block.attention.part.clip = 0.7;
        block.attention.part.query_norm =
            nn::norm<context, T>{norm_kind::layer, 1e-5, random_buffer<T, 1>({6}, 32), random_buffer<T, 1>({6}, 33)};
        block.attention.part.key_norm = nn::norm<context, T>{norm_kind::rms, 1e-5, random_buffer<T, 1>({6}, 34)};
        block.attention.part.rotary = std::make_shared<nn::rope>(nn::rope::standard(4, 1e4));
        block.attention.part.shape.cap = 0.9;
        block.attention.part.shape.window = 3;
    }
    SECTION("queries and keys normalised over all heads") {
        block.attention.part.norms_by_head = false;
        block.attention.part.query_norm = nn::norm<context, T>{norm_kind::rms, 1e-5, random_buffer<T, 1>({24}, 32)};
        block.attention.part.key_norm = nn::norm<context, T>{norm_kind::rms, 1e-5, random_buffer<T, 1>({12}, 34)};
    }
    require_hook_contract(block);
}

TEST_CASE("what hooks show adds up to the residual stream, bit for bit", "[nn][block]") {
    auto const x = random_buffer<T, 2>({rows, width}, GENERATE(20u, 21u, 22u));
    testing::record<T> seen;
    SECTION("sequential") {
        forward(make(nn::order::sequential), x, seen.watch("*"));
        require_sum(seen.at("resid_pre"), seen.at("attn_out"), seen.at("resid_mid"));
        require_sum(seen.at("resid_mid"), seen.at("mlp_out"), seen.at("resid_post"));
    }
    SECTION("parallel") {
        forward(make(nn::order::parallel), x, seen.watch("*"));
        buffer<T, 3> after_attention(seen.at("resid_pre").extents());
        for (index i = 0; i < after_attention.size(); ++i) {
            after_attention.data()[i] = seen.at("resid_pre").data()[i] + seen.at("attn_out").data()[i];
        }
        require_sum(after_attention, seen.at("mlp_out"), seen.at("resid_post"));
    }
}

TEST_CASE("what a multiplied part adds is what its hook shows", "[nn][block]") {
    auto const x = random_buffer<T, 2>({rows, width}, 20u);
    auto const order = GENERATE(nn::order::sequential, nn::order::parallel);
    auto block = make(order);
    testing::record<T> plain, seen;
    forward(block, x, plain.watch("*"));
    block.attention.multiplier = 0.22, block.mlp.multiplier = -3;
    auto const y = forward(block, x, seen.watch("*"));
    CHECK(testing::same_bits(y.data(), forward(block, x).data(), y.size()));
    for (index i = 0; i < seen.at("attn_out").size(); ++i)
        CHECK(seen.at("attn_out").data()[i] == static_cast<T>(0.22) * plain.at("attn_out").data()[i]);
    if (order == nn::order::parallel) {
        for (index i = 0; i < seen.at("mlp_out").size(); ++i)
            CHECK(seen.at("mlp_out").data()[i] == -3 * plain.at("mlp_out").data()[i]);
    } else {
        require_sum(seen.at("resid_pre"), seen.at("attn_out"), seen.at("resid_mid"));
        require_sum(seen.at("resid_mid"), seen.at("mlp_out"), seen.at("resid_post"));
    }
}

TEST_CASE("a head's input reaches that head alone", "[nn][block]") {
    auto block = make(nn::order::sequential);
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    testing::record<T> plain, changed;
    forward(block, x, plain.watch("*hook_q") | plain.watch("*hook_k") | plain.watch("*hook_v"));
    auto const change = [](std::string const& pattern, index head) {
        return hooks::patch<T>(pattern, [head](auto const&, auto const&, plateau::tensor::view<T, 3> inputs) {
            for (index r = 0; r < rows; ++r) inputs(r, head, 0) += 3;
        });
    };
    auto const site = GENERATE(as<std::string>{}, "q", "k", "v");
    index const head = 1;
    forward(block, x,
            change("*hook_" + site + "_input", head) | changed.watch("*hook_q") | changed.watch("*hook_k") |
                changed.watch("*hook_v"));
    for (std::string const other : {"q", "k", "v"}) {
        auto const &before = plain.at("attn.hook_" + other), &after = changed.at("attn.hook_" + other);
        for (index r = 0; r < rows; ++r) {
            for (index h = 0; h < before.extent(1); ++h) {
                CHECK(same_bits(before[r][h].data(), after[r][h].data(), before.extent(2)) ==
                      !(other == site && h == head));
            }
        }
    }
    // all heads share one input where each has keys and values of its own
    CHECK_THROWS_AS(hooks::matching_sites(sites_of(block), "*hook_attn_in"), site_error);
    block.attention.part.shape.kv_heads = 4;
    block.attention.part.key = testing::random_linear<T>(24, width, true, 2);
    block.attention.part.value = testing::random_linear<T>(24, width, true, 3);
    auto const all = forward(block, x, change("*hook_attn_in", head));
    auto const each = forward(
        block, x, change("*hook_q_input", head) | change("*hook_k_input", head) | change("*hook_v_input", head));
    CHECK(same_rows(all.view(), each.view()));
}

TEST_CASE("results of heads and the bias are the attention's output, and what is changed of them changes it",
          "[nn][block]") {
    auto const block = make(GENERATE(nn::order::sequential, nn::order::parallel));
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    testing::record<T> seen, without, without_z;
    forward(block, x, seen.watch("*hook_result") | seen.watch("*attn_out"));
    auto const remove = [](auto const&, auto const&, plateau::tensor::view<T, 3> values) {
        for (index r = 0; r < rows; ++r) std::fill_n(values[r][2].data(), values.extent(2), 0.0);
    };
    forward(block, x, hooks::patch<T>("*hook_result", remove) | without.watch("*attn_out"));
    forward(block, x, hooks::patch<T>("*hook_z", remove) | without_z.watch("*attn_out"));
    for (index r = 0; r < rows; ++r) {
        for (index i = 0; i < width; ++i) {
            double sum = block.attention.part.output.bias.data()[i];
            for (index h = 0; h < 4; ++h) sum += seen.at("hook_result")(r, h, i);
            CHECK(std::abs(sum - seen.at("attn_out")(r, 0, i)) < 1e-14);
            CHECK(std::abs(without.at("attn_out")(r, 0, i) - without_z.at("attn_out")(r, 0, i)) < 1e-14);
        }
    }
}

TEST_CASE("the MLP's own input changes the MLP alone", "[nn][block]") {
    auto const block = make(nn::order::sequential);
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    testing::record<T> own, shared;
    forward(block, x,
            testing::multiply<T>("*mlp_in", 3) | own.watch("*resid_mid") | own.watch("*mlp_out") |
                own.watch("*resid_post"));
    forward(block, x, testing::multiply<T>("*resid_mid", 3) | shared.watch("*mlp_out"));
    CHECK(same_bits(own.at("mlp_out").data(), shared.at("mlp_out").data(), rows * width));
    require_sum(own.at("resid_mid"), own.at("mlp_out"), own.at("resid_post"));
}

TEST_CASE("the sums hold for what patches wrote", "[nn][block]") {
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    testing::record<T> seen;
    auto const change = testing::multiply<T>("*attn_out", 3) | testing::multiply<T>("*mlp_out", 0);
    forward(make(nn::order::sequential), x, change | seen.watch("*"));
    require_sum(seen.at("resid_pre"), seen.at("attn_out"), seen.at("resid_mid"));
    CHECK(same_bits(seen.at("resid_mid").data(), seen.at("resid_post").data(), rows * width));
}

TEST_CASE("a parallel block has no middle of the residual stream", "[nn][block]") {
    auto const sites = sites_of(make(nn::order::parallel));
    CHECK_THROWS_AS(hooks::matching_sites(sites, "*resid_mid"), site_error);
    CHECK(sites.size() + 1 == sites_of(make(nn::order::sequential)).size());
}

TEST_CASE("in a parallel block the feed-forward part reads the stream before attention", "[nn][block]") {
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    testing::record<T> plain, changed;
    auto const parallel = make(nn::order::parallel);
    forward(parallel, x, plain.watch("*mlp_out"));
    forward(parallel, x, testing::multiply<T>("*attn_out", 5) | changed.watch("*mlp_out"));
    CHECK(same_bits(plain.at("mlp_out").data(), changed.at("mlp_out").data(), rows * width));
    testing::record<T> plain_order, changed_order;
    auto const in_turn = make(nn::order::sequential);
    forward(in_turn, x, plain_order.watch("*mlp_out"));
    forward(in_turn, x, testing::multiply<T>("*attn_out", 5) | changed_order.watch("*mlp_out"));
    CHECK_FALSE(same_bits(plain_order.at("mlp_out").data(), changed_order.at("mlp_out").data(), rows * width));
}

TEST_CASE("a row's bits do not depend on what shares its block of rows", "[nn][block]") {
    auto const block = make(nn::order::sequential);
    auto const x = random_buffer<T, 2>({rows, width}, 20), other = random_buffer<T, 2>({65, width}, 21, 100);
    auto const alone = forward(block, x);
    // the other sequence first, then x, in one pass
    buffer<T, 2> both({65 + rows, width});
    std::copy_n(other.data(), other.size(), both.data());
    std::copy_n(x.data(), x.size(), both[65].data());
    auto two = testing::positions(0, 65, 0);
    testing::add_positions(two, 0, rows, 1);
    nn::pass<context, T> pass{testing::one_thread};
    nn::layer_rows<context, T> const in_layer{pass, layer};
    pass.begin(two, nullptr);
    std::copy_n(both.data(), both.size(), pass.residual(width).data());
    block.forward(in_layer, pass.residual(width));
    CHECK(same_rows(pass.residual(width).rows(65, rows), alone.view()));
    // the same pass, used again, for fewer rows
    auto const one = testing::positions(0, rows);
    pass.begin(one, nullptr);
    std::copy_n(x.data(), x.size(), pass.residual(width).data());
    block.forward(in_layer, pass.residual(width));
    CHECK(same_rows(pass.residual(width), alone.view()));
}

TEST_CASE("recording keys and values alone leaves the stream and keeps what a forward pass keeps", "[nn][block]") {
    auto const block = make(nn::order::sequential);
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    nn::kv_cache<context, T> expected{testing::one_thread, layer, 1, rows, block.kv_width()},
        alone{testing::one_thread, layer, 1, rows, block.kv_width()};
    forward(block, x, {}, testing::positions(0, rows, 0, nullptr, &expected));
    testing::run_rows<T>(x, testing::positions(0, rows, 0, nullptr, &alone), {}, sites_of(block), [&](auto& pass) {
        block.record_keys_and_values(nn::layer_rows<context, T>{pass, layer}, pass.residual(width));
        CHECK(same_rows(pass.residual(width), x.view()));
    });
    CHECK(same_rows(alone.keys(layer), expected.keys(layer)));
    CHECK(same_rows(alone.values(layer), expected.values(layer)));
}

TEST_CASE("the last row after a recorded prefix has the bits of the whole sequence", "[nn][block]") {
    auto const block = make(nn::order::sequential);
    auto const x = random_buffer<T, 2>({rows, width}, 20);
    nn::kv_cache<context, T> prefix{testing::one_thread, layer, 1, rows - 1, block.kv_width()};
    auto const whole = forward(block, x, {}, testing::positions(0, rows, 0, nullptr, &prefix));
    auto const last = forward(block, testing::copy_of<T>(x.view().rows(rows - 1, 1), 1), {},
                              testing::positions(rows - 1, 1, 0, &prefix));
    CHECK(same_bits(last.data(), whole[rows - 1].data(), width));
}

/// A part of one's own: y = tanh(s x), "Dynamic Tanh" without weights.
/// @see Zhu et al. 2025, "Transformers without normalization"
struct tanh_norm {
    double steepness = 1;

    using rows = nn::layer_rows<context, T>;

    void forward(rows l, nn::norm_sites const& at, rows::const_rows_view x, rows::rows_view y) const {
        for (index r = 0; r < x.extent(0); ++r) {
            for (index i = 0; i < x.extent(1); ++i) y(r, i) = std::tanh(steepness * x(r, i));
        }
        l.hook(at.out, y);
    }

    void list(std::vector<hooks::site>& sites, int at_layer, nn::norm_sites const& at, index d_model) const {
        sites.push_back({at.out, at_layer, hooks::site_axes::vector, 1, d_model});
    }
};

/// Another: a feed-forward part that reverses a row, by way of a work matrix of its own.
inline constexpr nn::work_buffer reversed{"reversed"};

struct reversal {
    using rows = nn::layer_rows<context, T>;

    void forward(rows l, rows::const_rows_view x, rows::rows_view y) const {
        auto const post = l.matrix(reversed, x.extent(1));
        for (index r = 0; r < x.extent(0); ++r) {
            for (index i = 0; i < x.extent(1); ++i) post(r, i) = x(r, x.extent(1) - 1 - i);
        }
        l.hook(hooks::site_id::mlp_post, post);
        backend::copy<T>(l.context(), post, y);
    }

    void list(std::vector<hooks::site>& sites, int at_layer) const {
        sites.push_back({hooks::site_id::mlp_post, at_layer, hooks::site_axes::vector, 1, width});
    }
};

TEST_CASE("a block of one's own parts keeps the contract at every hook point that it lists", "[nn][block]") {
    SECTION("own norm") {
        nn::block<tanh_norm, nn::attention<context, T>, nn::mlp<context, T>> block;
        block.attention.before = tanh_norm{1};
        block.mlp.before = tanh_norm{0.5};
        block.attention.part = make_attention();
        block.mlp.part = make_mlp();
        require_hook_contract(block);
        CHECK_THROWS_AS(hooks::matching_sites(sites_of(block), "*ln1.hook_scale"), site_error);
    }
    SECTION("own feed-forward part, parallel") {
        using norm = nn::norm<context, T>;
        nn::block<norm, nn::attention<context, T>, reversal> block;
        block.attention.before = norm{};
        block.mlp.before = norm{};
        block.attention.part = make_attention();
        block.order = nn::order::parallel;
        require_hook_contract(block);
        auto const x = random_buffer<T, 2>({rows, width}, 20);
        testing::record<T> seen;
        forward(block, x, seen.watch("*"));
        for (index i = 0; i < width; ++i) {
            CHECK(seen.at("mlp_out")(2, 0, i) == seen.at("ln2.hook_out")(2, 0, width - 1 - i));
        }
    }
}

}  // namespace
