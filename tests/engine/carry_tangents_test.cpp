#include <plateau/engine/carry_tangents.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <numbers>

#include <plateau/core/split.hpp>
#include <plateau/engine/derivatives.hpp>
#include <plateau/hooks/ablate.hpp>
#include <plateau/hooks/steer.hpp>
#include <plateau/io/npz_reader.hpp>
#include <plateau/sweep/interpolate.hpp>

#include "support/first_difference.hpp"
#include "support/golden.hpp"
#include "support/own_block.hpp"
#include "support/random.hpp"
#include "support/sweeps.hpp"

namespace {

using namespace sweeps;
using engine::carry_tangents;
using plateau::index;
using plateau::testing::contains;
using request = engine::tangent_request<double>;

/// Tangents at a site by (pair, point, tangent).
template <class T>
using tangent_map = std::map<std::tuple<index, index, index>, std::vector<T>>;

template <class T>
hooks::hook_set<T> keep_tangents(std::string const& site, tangent_map<T>& into, std::mutex& guard) {
    return hooks::capture<T>(site, [&into, &guard](hooks::rows_at<T>& here) {
        auto const rows = here.read();
        std::lock_guard const lock{guard};
        for (std::size_t r = 0; r < here.rows.size(); ++r) {
            auto const& id = here.rows[r];
            auto const row = rows[static_cast<index>(r)];
            auto& values = into[{id.item, id.point, id.tangent}];
            for (index a = 0; a < row.extent(0); ++a)
                values.insert(values.end(), row[a].data(), row[a].data() + row.extent(1));
        }
    });
}

/// k tangents of random numbers that depend on the pair and the point.
template <class T>
engine::tangent_request<T> random_tangents(index count, double factor = 1) {
    engine::tangent_request<T> all;
    all.count = count;
    all.set.assign(static_cast<std::size_t>(count), 0);
    all.start = [factor](index pair, index point, index i, auto, auto, auto out) {
        auto const values = plateau::testing::random_vector<double>(
            out.size(), static_cast<std::uint64_t>(1 + i + 1000 * point + 100000 * pair));
        for (index j = 0; j < out.extent(0); ++j) {
            for (index d = 0; d < out.extent(1); ++d)
                out(j, d) = static_cast<T>(factor * values[static_cast<std::size_t>(j * out.extent(1) + d)]);
        }
    };
    return all;
}

template <class T>
tangent_map<T> tangents_at(plateau::model<T> const& model, prompt_list const& prompts,
                           std::vector<engine::prompt_pair> const& pairs, index steps, engine::setup const& setup,
                           engine::tangent_request<T> what, hooks::hook_set<T> const& also = {}) {
    tangent_map<T> found;
    std::mutex guard;
    what.reads = keep_tangents<T>(setup.read, found, guard);
    carry_tangents<T>(model.engine(), prompts, pairs, {steps, line<T>(steps), setup, also}, what);
    return found;
}

#if PLATEAU_HAS_ZLIB
std::vector<std::string> const sets{
    "none", "attn_out", "pattern", "mlp_out", "gate", "norm_scale", "pattern+gate+norm_scale", "attn_out+gate"};

TEMPLATE_TEST_CASE("tangents are those of the published implementation, whatever they take for constant",
                   "[engine][tangents]", float, double) {
    double const tolerance = std::is_same_v<TestType, double> ? 1e-10 : 3e-5;  // of the largest magnitude
    for (auto const& name : golden::model_names()) {
        CAPTURE(name);
        auto const folder = golden::models_folder() / name;
        plateau::io::npz_reader const expected{folder / "derivatives.npz"};
        auto const u = expected.read<double>("u");
        index const width = u.shape[1];
        auto const model = plateau::load<TestType>(folder, {.backend = {.threads = 2}});
        auto prompts = golden::prompts(folder / "tokens.npy");
        prompts.resize(2);
        engine::tangent_request<TestType> what;
        what.count = 2 * static_cast<index>(sets.size());
        what.sets.clear(), what.set.clear();
        for (auto const& set : sets) {
            what.sets.emplace_back(set == "none" ? std::vector<std::string>{} : plateau::split(set, '+'),
                                   model.sites());
            what.set.insert(what.set.end(), 2, static_cast<std::uint8_t>(what.sets.size() - 1));
        }
        what.start = [&](index, index, index i, auto, auto, auto out) {
            for (index j = 0; j < width; ++j)
                out(0, j) = static_cast<TestType>(u.values[static_cast<std::size_t>(i % 2 * width + j)]);
        };
        auto const point = [](index, index, auto from, auto to, auto out) {
            plateau::paths::linear<TestType>{from[0].flat(), to[0].flat()}(0.3, out[0].flat());
        };
        for (auto const& [site, array] : {std::pair{"unembed.hook_in", "jvp."}, std::pair{"", "logits.jvp"}}) {
            tangent_map<TestType> found;
            std::mutex guard;
            auto const at = *site == 0 ? model.sites().back().name() : std::string{site};
            what.reads = keep_tangents<TestType>(at, found, guard);
            carry_tangents<TestType>(model.engine(), prompts, {{0, 1}},
                                     {1, point, {.write = "blocks.0.hook_resid_post"}}, what);
            for (std::size_t s = 0; s < sets.size() && (s == 0 || *site != 0); ++s) {
                CAPTURE(at, sets[s]);
                auto const wanted = expected.read<double>(*site == 0 ? array : array + sets[s]);
                double largest = 0, worst = 0;
                for (double const value : wanted.values) largest = std::max(largest, std::abs(value));
                for (index i = 0; i < 2; ++i) {
                    auto const& got = found.at({0, 0, 2 * static_cast<index>(s) + i});
                    REQUIRE(static_cast<index>(got.size()) == wanted.shape[1]);
                    for (std::size_t j = 0; j < got.size(); ++j)
                        worst = std::max(worst, std::abs(static_cast<double>(got[j]) -
                                                         wanted.values[static_cast<std::size_t>(i) * got.size() + j]));
                }
                CHECK(worst <= tolerance * largest);
            }
        }
    }
}

TEMPLATE_TEST_CASE("cotangents are those of the published implementation, whatever they take for constant",
                   "[engine][cotangents]", float, double) {
    double const tolerance = std::is_same_v<TestType, double> ? 1e-10 : 3e-5;  // of the largest magnitude
    for (auto const& name : golden::model_names()) {
        CAPTURE(name);
        auto const folder = golden::models_folder() / name;
        plateau::io::npz_reader const expected{folder / "derivatives.npz"};
        auto const v = expected.read<double>("v");
        auto const model = plateau::load<TestType>(folder, {.backend = {.threads = 2}});
        auto prompts = golden::prompts(folder / "tokens.npy");
        prompts.resize(2);
        engine::cotangent_request<TestType> what;
        what.count = 2 * static_cast<index>(sets.size());
        what.sets.clear(), what.set.clear();
        for (auto const& set : sets) {
            what.sets.emplace_back(set == "none" ? std::vector<std::string>{} : plateau::split(set, '+'),
                                   model.sites());
            what.set.insert(what.set.end(), 2, static_cast<std::uint8_t>(what.sets.size() - 1));
        }
        what.read = "unembed.hook_in";
        what.start = [&](index, index, index i, std::span<TestType> out) {
            for (std::size_t j = 0; j < out.size(); ++j)
                out[j] = static_cast<TestType>(v.values[static_cast<std::size_t>(i % 2) * out.size() + j]);
        };
        std::map<index, std::vector<TestType>> found;
        what.take = [&](index, index, index i, auto g) { found[i].assign(g.data(), g.data() + g.size()); };
        auto const point = [](index, index, auto from, auto to, auto out) {
            plateau::paths::linear<TestType>{from[0].flat(), to[0].flat()}(0.3, out[0].flat());
        };
        engine::carry_cotangents<TestType>(model.engine(), prompts, {{0, 1}},
                                           {1, point, {.write = "blocks.0.hook_resid_post"}}, what);
        for (std::size_t s = 0; s < sets.size(); ++s) {
            CAPTURE(sets[s]);
            auto const wanted = expected.read<double>("vjp." + sets[s]);
            double largest = 0, worst = 0;
            for (double const value : wanted.values) largest = std::max(largest, std::abs(value));
            for (std::size_t i = 0; i < 2; ++i) {
                auto const& got = found.at(2 * static_cast<index>(s) + static_cast<index>(i));
                REQUIRE(static_cast<index>(got.size()) == wanted.shape[1]);
                for (std::size_t j = 0; j < got.size(); ++j)
                    worst = std::max(worst, std::abs(static_cast<double>(got[j]) - wanted.values[i * got.size() + j]));
            }
            CHECK(worst <= tolerance * largest);
        }
    }
}
TEMPLATE_TEST_CASE("derivatives under interventions are those of the published implementation",
                   "[engine][tangents][cotangents]", float, double) {
    double const tolerance = std::is_same_v<TestType, double> ? 1e-10 : 3e-5;  // of the largest magnitude
    for (auto const& name : golden::model_names()) {
        auto const folder = golden::models_folder() / name;
        plateau::io::npz_reader const expected{folder / "derivatives.npz"};
        auto const u = expected.read<double>("u"), v = expected.read<double>("v"), w = expected.read<double>("w");
        std::vector<TestType> const vector(w.values.begin(), w.values.end());
        std::map<std::string, hooks::hook_set<TestType>> const changes{
            {"zero", hooks::zero_ablate<TestType>("blocks.1.hook_mlp_out")},
            {"add", hooks::add<TestType>("blocks.1.hook_resid_post", vector)},
            {"scale", hooks::scale<TestType>("blocks.1.hook_attn_out", TestType(0.3))},
            {"project", hooks::project_out<TestType>("blocks.1.hook_resid_post", vector)},
            {"set", hooks::set_to<TestType>("blocks.1.hook_resid_pre", vector)},
            {"head", hooks::zero_ablate<TestType>("blocks.1.attn.hook_z", hooks::heads{1})}};
        auto const model = plateau::load<TestType>(folder, {.backend = {.threads = 2}});
        if (model.layers() < 2) continue;
        auto prompts = golden::prompts(folder / "tokens.npy");
        prompts.resize(2);
        auto const point = [](index, index, auto from, auto to, auto out) {
            plateau::paths::linear<TestType>{from[0].flat(), to[0].flat()}(0.3, out[0].flat());
        };
        for (auto const& [change, set] : changes) {
            CAPTURE(name, change);
            std::map<std::string, std::vector<TestType>> found{{"jvp", std::vector<TestType>(v.values.size())},
                                                               {"vjp", std::vector<TestType>(u.values.size())}};
            engine::followed_points<TestType> const points{1, point, {.read = "unembed.hook_in"}, set};
            engine::tangent_request<TestType> forwards;
            forwards.count = 2, forwards.set = {0, 0};
            forwards.start = [&](index, index, index i, auto, auto, auto out) {
                for (index d = 0; d < u.shape[1]; ++d)
                    out(0, d) = static_cast<TestType>(u.values[static_cast<std::size_t>(i * u.shape[1] + d)]);
            };
            forwards.reads = hooks::capture<TestType>("unembed.hook_in", [&](hooks::rows_at<TestType>& here) {
                auto const rows = here.read();
                for (index t = 0; t < here.count(); ++t) {
                    index const i = here.rows[static_cast<std::size_t>(t)].tangent;
                    std::copy_n(rows[t].data(), v.shape[1], found["jvp"].data() + i * v.shape[1]);
                }
            });
            carry_tangents<TestType>(model.engine(), prompts, {{0, 1}}, points, forwards);
            engine::cotangent_request<TestType> backwards;
            backwards.count = 2, backwards.set = {0, 0}, backwards.read = "unembed.hook_in";
            backwards.start = [&](index, index, index i, std::span<TestType> out) {
                for (std::size_t j = 0; j < out.size(); ++j)
                    out[j] = static_cast<TestType>(v.values[static_cast<std::size_t>(i) * out.size() + j]);
            };
            backwards.take = [&](index, index, index i, auto g) {
                std::copy_n(g.data(), u.shape[1], found["vjp"].data() + i * u.shape[1]);
            };
            engine::carry_cotangents<TestType>(model.engine(), prompts, {{0, 1}}, points, backwards);
            for (auto const& [way, got] : found) {
                auto const wanted = expected.read<double>("changed." + change + "." + way);
                double largest = 0, worst = 0;
                for (std::size_t j = 0; j < got.size(); ++j) {
                    largest = std::max(largest, std::abs(wanted.values[j]));
                    worst = std::max(worst, std::abs(static_cast<double>(got[j]) - wanted.values[j]));
                }
                CAPTURE(way);
                CHECK(worst <= tolerance * largest);
            }
        }
    }
}
#endif

/// Sites whose tangents are rows.
std::vector<hooks::site> sites_of_rows(std::vector<hooks::site> const& all) {
    std::vector<hooks::site> some;
    for (auto const& at : all) {
        if (at.axes != hooks::site_axes::keys) some.push_back(at);
    }
    return some;
}

/// The tangent of random numbers at a read site's last position, against differences of the engine's own rows: the
/// largest of what they differ by over the largest of them. @throws as carry_tangents
double off_from_differences(plateau::model<double> const& model, prompt_list const& prompts, engine::setup const& setup,
                            hooks::hook_set<double> const& also = {}) {
    auto const write = hooks::find_site(model.sites(), setup.write);
    index const width = write.heads * write.width;
    double norm = 0, along = 0;
    auto const u = [&](index j) { return std::sin(static_cast<double>((j + 3) * (j + 3))); };
    request what;
    what.start = [&](index, index, index, auto from, auto, auto out) {
        for (index j = 0; j < out.extent(0); ++j) {
            for (index d = 0; d < width; ++d) {
                out(j, d) = u(j * width + d);
                norm += from(j, d) * from(j, d), along += out(j, d) * out(j, d);
            }
        }
    };
    auto const moved = [&](double by) {
        return engine::point_writer<double>([&, by](index, index, auto from, auto, auto out) {
            for (index j = 0; j < out.extent(0); ++j) {
                for (index d = 0; d < width; ++d) out(j, d) = from(j, d) + by * u(j * width + d);
            }
        });
    };
    std::vector<double> got;
    what.reads = hooks::capture<double>(setup.read, [&](hooks::rows_at<double>& here) {
        auto const rows = here.read();
        for (index r = 0; r < here.count(); ++r) {
            if (here.rows[static_cast<std::size_t>(r)].last)
                got.assign(rows[r].data(), rows[r].data() + rows.extent(1) * rows.extent(2));
        }
    });
    carry_tangents<double>(model.engine(), prompts, {{0, 1}}, {1, moved(0), setup, also}, what);
    double const h = 3e-4 * std::sqrt(norm / along);
    auto const value_at = [&](double by) {
        readings<double> values;
        engine::patched_rows<double> rows{model.engine(), prompts, 1, setup};
        rows.run({{0, 1}}, moved(by), also | hooks::capture<double>(setup.read, keep(values)));
        return values.rbegin()->second;  // of the last position
    };
    auto const a = value_at(h), b = value_at(-h), c = value_at(2 * h), d = value_at(-2 * h);
    double largest = 0, worst = 0;
    REQUIRE(got.size() == a.size());
    for (std::size_t j = 0; j < got.size(); ++j) {
        double const difference = (8 * (a[j] - b[j]) - (c[j] - d[j])) / (12 * h);  // error h⁴
        largest = std::max(largest, std::abs(difference));
        worst = std::max(worst, std::abs(difference - got[j]));
    }
    return largest > 0 ? worst / largest : worst;
}

TEST_CASE("tangents between any two sites are differences of the engine's own rows", "[engine][tangents]") {
    for (std::string const name : {"llama_gqa", "gemma2", "qwen3", "gpt_neox", "opt"}) {
        auto const model = plateau::load<double>(golden::models_folder() / name, {.backend = {.threads = 2}});
        auto const prompts = tiny::random_prompts(3, {5, 5}, std::min<index>(model.vocabulary(), 37));
        auto const sites = sites_of_rows(model.sites());
        std::vector<engine::write_positions> const where{
            {}, {hooks::positions{-3, 0}}, {hooks::positions{1, 3}}, {.suffix = true}};
        index checked = 0;
        for (std::size_t n = 0; n < 80; ++n) {  // pairs of sites that differ from model to model
            auto const& write = sites[(n * 7 + name.size()) % sites.size()];
            auto const& read = sites[(n * 13 + n / 7) % sites.size()];
            CAPTURE(name, write.name(), read.name(), n % 4);
            try {
                double const off = off_from_differences(
                    model, prompts, {.write = write.name(), .read = read.name(), .positions = where[n % 4]});
                CHECK(off <= 1e-8);
                ++checked;
            } catch (plateau::site_error const&) {  // read before the write
            }
        }
        CHECK(checked >= 20);
    }
}

TEST_CASE("interventions of the library have derivatives", "[engine][tangents]") {
    auto const model = plateau::load<double>(golden::models_folder() / "llama_gqa", {.backend = {.threads = 2}});
    auto const prompts = tiny::random_prompts(3, {5, 5}, 37);
    auto const vector = plateau::testing::random_vector<double>(model.width(), 4);
    std::vector<hooks::hook_set<double>> const changes{
        hooks::zero_ablate<double>("blocks.1.hook_mlp_out"),
        hooks::add<double>("blocks.1.hook_resid_post", vector),
        hooks::scale<double>("blocks.1.hook_attn_out", 0.3),
        hooks::project_out<double>("blocks.1.hook_resid_mid", vector),
        hooks::zero_ablate<double>("blocks.1.attn.hook_z", hooks::heads{1}),
        hooks::zero_ablate<double>("blocks.1.attn.hook_result", hooks::heads{0}),
        hooks::scale<double>("blocks.1.hook_q_input", 0.3),
        hooks::project_out<double>("blocks.1.hook_v_input", vector),
        hooks::scale<double>("blocks.2.hook_mlp_in", 0.5),
        hooks::scale<double>("blocks.1.ln1.hook_scale", 0.5),
        hooks::zero_ablate<double>("blocks.1.attn.hook_pattern", hooks::heads{1}),
        hooks::scale<double>("blocks.1.attn.hook_pattern", 0.7),
        hooks::scale<double>("blocks.2.attn.hook_attn_scores", 0.6),
        hooks::set_to<double>("ln_final.hook_scale", std::vector<double>{1.25}),
        hooks::set_to<double>("blocks.2.hook_resid_pre", vector)};
    for (std::size_t i = 0; i < changes.size(); ++i) {
        for (bool const suffix : {false, true}) {
            CAPTURE(i, suffix);
            engine::setup const setup{
                .write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out", .positions = {.suffix = suffix}};
            CHECK(off_from_differences(model, prompts, setup, changes[i]) <= 1e-8);
        }
    }
}

/// How far ⟨v, J u⟩ and ⟨Jᵀv, u⟩ are apart, over |v| |J u|, with random u of the written positions and v of the last.
double off_from_adjoint(plateau::model<double> const& model, prompt_list const& prompts, engine::setup const& setup,
                        std::vector<std::string> const& constant, hooks::hook_set<double> const& also = {}) {
    auto const u = [](index j) { return std::sin(static_cast<double>((j + 3) * (j + 3))); };
    auto const v = [](std::size_t j) { return std::cos(static_cast<double>(j * j)); };
    engine::followed_points<double> const points{1, line<double>(2), setup, also};  // x = A
    request forwards;
    forwards.sets = {hooks::constant_sites{constant, model.sites()}};
    forwards.start = [&](index, index, index, auto, auto, auto out) {
        for (index j = 0; j < out.extent(0); ++j) {
            for (index d = 0; d < out.extent(1); ++d) out(j, d) = u(j * out.extent(1) + d);
        }
    };
    double forward = 0, largest = 0, size = 0, back = 0;
    forwards.reads = hooks::capture<double>(setup.read, [&](hooks::rows_at<double>& here) {
        auto const rows = here.read();
        for (index r = 0; r < here.count(); ++r) {
            if (!here.rows[static_cast<std::size_t>(r)].last) continue;
            for (index j = 0; j < rows[r].size(); ++j) {
                double const value = rows[r].data()[j], weight = v(static_cast<std::size_t>(j));
                forward += weight * value, largest += value * value, size += weight * weight;
            }
        }
    });
    carry_tangents<double>(model.engine(), prompts, {{0, 1}}, points, forwards);
    engine::cotangent_request<double> backwards;
    backwards.sets = forwards.sets;
    backwards.read = setup.read;
    backwards.start = [&](index, index, index, std::span<double> out) {
        for (std::size_t j = 0; j < out.size(); ++j) out[j] = v(j);
    };
    backwards.take = [&](index, index, index, auto g) {
        for (index j = 0; j < g.extent(0); ++j) {
            for (index d = 0; d < g.extent(1); ++d) back += g(j, d) * u(j * g.extent(1) + d);
        }
    };
    engine::carry_cotangents<double>(model.engine(), prompts, {{0, 1}}, points, backwards);
    return std::abs(forward - back) / std::sqrt(size * std::max(largest, 1e-300));
}

TEST_CASE("cotangents are adjoint to tangents, whatever the sites, positions, sets and interventions",
          "[engine][cotangents]") {
    std::vector<std::vector<std::string>> const constants{{},
                                                          {"attn_out"},
                                                          {"pattern", "gate"},
                                                          {"norm_scale"},
                                                          {"mlp_out"},
                                                          {"blocks.1.hook_resid_post", "gate"},
                                                          {"blocks.1.hook_q_input", "blocks.2.hook_v_input"},
                                                          {"blocks.1.attn.hook_result", "blocks.2.hook_mlp_out"}};
    std::vector<std::string> const scaled{
        "blocks.1.hook_attn_out",     "blocks.1.hook_k_input",          "blocks.1.attn.q_norm.hook_scale",
        "ln_final.hook_scale",        "blocks.2.hook_mlp_in",           "blocks.1.attn.hook_result",
        "blocks.1.attn.hook_pattern", "blocks.2.attn.hook_attn_scores", "blocks.2.hook_attn_in"};
    std::vector<engine::write_positions> const where{
        {}, {hooks::positions{-3, 0}}, {hooks::positions{1, 3}}, {.suffix = true}};
    for (std::string const name : {"llama_gqa", "gemma2", "qwen3", "gpt2", "gpt_neo", "olmo2"}) {
        auto const model = plateau::load<double>(golden::models_folder() / name, {.backend = {.threads = 2}});
        auto const prompts = tiny::random_prompts(3, {5, 5}, std::min<index>(model.vocabulary(), 37));
        auto const sites = sites_of_rows(model.sites());
        index checked = 0;
        for (std::size_t n = 0; n < 120; ++n) {
            auto const& write = sites[(n * 7 + name.size()) % sites.size()];
            auto const& read = sites[(n * 13 + n / 7) % sites.size()];
            CAPTURE(name, write.name(), read.name(), n % 4, n % constants.size(), n % 3);
            hooks::hook_set<double> changes;
            if (n % 3 == 0) changes = hooks::scale<double>(scaled[n / 3 % scaled.size()], 0.3);
            try {
                double const off = off_from_adjoint(
                    model, prompts, {.write = write.name(), .read = read.name(), .positions = where[n % 4]},
                    constants[n % constants.size()], changes);
                CHECK(off <= 1e-12);
                ++checked;
            } catch (plateau::site_error const&) {  // read before the write, or not a site of this family
            }
        }
        CHECK(checked >= 30);
    }
}

/// Three pairs of random prompts, one in the context of its other end.
std::vector<engine::prompt_pair> const some_pairs{{0, 1}, {1, 2}, {2, 0, 0}};

TEMPLATE_TEST_CASE("a tangent has the same bits in any company", "[engine][tangents]", float, double) {
    auto const model = random_model<TestType>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5}, 37);
    engine::setup setup{.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"};
    setup.positions.at = GENERATE(hooks::positions::last(), hooks::positions{-3, 0});
    auto const all = tangents_at<TestType>(model(1), prompts, some_pairs, 7, setup, random_tangents<TestType>(5));
    CHECK(all.size() == 3 * 7 * 5);
    CHECK(plateau::testing::first_difference(
              tangents_at<TestType>(model(3), prompts, some_pairs, 7, setup, random_tangents<TestType>(5)), all) == "");
    // fewer of them, and far more
    for (index const count : {1, 3, 400}) {
        auto const some =
            tangents_at<TestType>(model(2), prompts, {some_pairs[0]}, 7, setup, random_tangents<TestType>(count));
        for (auto const& [key, values] : some) {
            if (std::get<2>(key) < 5) REQUIRE(plateau::testing::first_difference(values, all.at(key)) == "");
        }
    }
}

TEMPLATE_TEST_CASE("tangents and what they hold change no bit of the rows", "[engine][tangents]", float, double) {
    auto const model = random_model<TestType>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5}, 37);
    std::vector<std::string> const reads{"blocks.1.mlp.hook_pre", "blocks.2.hook_resid_post", "ln_final.hook_out",
                                         "unembed.hook_out"};
    for (std::string const write : {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.attn.hook_v"}) {
        engine::setup const setup{.write = write, .read = "ln_final.hook_out"};
        readings<TestType> plain, followed;
        hooks::hook_set<TestType> of_plain, of_followed;
        auto const to_plain = keep(plain), to_followed = keep(followed);
        for (auto const& read : reads) {
            of_plain = of_plain | hooks::capture<TestType>(read, to_plain);
            of_followed = of_followed | hooks::capture<TestType>(read, to_followed);
        }
        engine::patched_rows<TestType> rows{model(2).engine(), prompts, 7, setup};
        rows.run(some_pairs, line<TestType>(7), of_plain);
        auto what = random_tangents<TestType>(3);
        what.sets.emplace_back(std::vector<std::string>{"pattern", "gate", "norm_scale"}, model(2).sites());
        what.set = {0, 1, 0};
        auto const found = tangents_at<TestType>(model(2), prompts, some_pairs, 7, setup, what, of_followed);
        CAPTURE(write);
        CHECK(plateau::testing::first_difference(followed, plain) == "");
        // an empty set holds nothing, and J(2u) = 2 J(u) to the bit
        auto const twice =
            tangents_at<TestType>(model(1), prompts, some_pairs, 7, setup, random_tangents<TestType>(3, 2));
        auto const once = tangents_at<TestType>(model(1), prompts, some_pairs, 7, setup, random_tangents<TestType>(3));
        for (auto const& [key, values] : once) {
            for (std::size_t j = 0; j < values.size(); ++j) REQUIRE(twice.at(key)[j] == 2 * values[j]);
            if (std::get<2>(key) != 1) REQUIRE(plateau::testing::first_difference(found.at(key), values) == "");
        }
    }
}

TEST_CASE("all that is not linear held, the derivatives of all positions add up to the model", "[engine][tangents]") {
    // families without biases, clips and caps that nothing here holds
    for (std::string const name : {"llama_gqa", "qwen3", "gemma", "gemma2", "mistral", "olmo2", "phi3"}) {
        auto const model = plateau::load<double>(golden::models_folder() / name, {.backend = {.threads = 1}});
        auto const prompts = tiny::random_prompts(2, {7, 7}, std::min<index>(model.vocabulary(), 37));
        for (std::string const write : {"hook_embed", "blocks.0.hook_resid_post", "blocks.1.hook_resid_mid"}) {
            CAPTURE(name, write);
            // J_S x of the written positions, x the point itself, or nothing from position `first` on
            auto const product = [&](engine::write_positions const& where, index from, readings<double>* values) {
                request what;
                what.sets = {hooks::constant_sites{{"pattern", "gate", "norm_scale"}, model.sites()}};
                what.start = [&](index, index, index, auto a, auto, auto out) {
                    for (index t = 0; t < out.extent(0); ++t) {
                        for (index d = 0; d < out.extent(1); ++d) out(t, d) = t < from ? a(t, d) : 0;
                    }
                };
                hooks::hook_set<double> looks;
                engine::setup const setup{.write = write, .read = "ln_final.hook_out", .positions = where};
                if (values != nullptr) looks = hooks::capture<double>(setup.read, keep(*values));
                std::vector<double> found;
                what.reads = hooks::capture<double>(setup.read, [&](hooks::rows_at<double>& here) {
                    auto const rows = here.read();
                    for (index r = 0; r < here.count(); ++r) {
                        if (here.rows[static_cast<std::size_t>(r)].last)
                            found.assign(rows[r].data(), rows[r].data() + rows.extent(2));
                    }
                });
                carry_tangents<double>(model.engine(), prompts, {{0, 1}}, {1, line<double>(2), setup, looks}, what);
                return found;
            };
            readings<double> values;
            engine::write_positions const all{hooks::positions{0, 0}};
            auto const whole = product(all, 7, nullptr), before = product(all, 6, nullptr),
                       last = product({}, 1, &values);
            auto const& f = values.begin()->second;
            double largest = 0;
            for (double const value : f) largest = std::max(largest, std::abs(value));
            REQUIRE(f.size() == static_cast<std::size_t>(model.width()));
            for (std::size_t j = 0; j < f.size(); ++j) {
                CHECK(std::abs(whole[j] - f[j]) <= 1e-12 * largest);
                CHECK(std::abs(f[j] - last[j] - before[j]) <= 1e-12 * largest);
            }
        }
    }
}

TEST_CASE("bf16: the derivative of the unrounded function where the rounded run goes", "[engine][tangents]") {
    auto const prompts = tiny::random_prompts(3, {6, 9}, 37);
    engine::setup const setup{.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"};
    auto const of = [&](bool rounded) {
        auto const model = plateau::load<float>(golden::models_folder() / "llama_gqa", {.bf16 = rounded});
        return tangents_at<float>(model, prompts, {{0, 1}}, 5, setup, random_tangents<float>(4));
    };
    auto const exact = of(false), rough = of(true);
    double square = 0, off = 0;
    for (auto const& [key, values] : exact) {
        for (std::size_t j = 0; j < values.size(); ++j) {
            double const a = values[j], b = rough.at(key)[j];
            square += a * a, off += (a - b) * (a - b);
        }
    }
    CHECK(off > 0);
    CHECK(std::sqrt(off) <= 5e-2 * std::sqrt(square));  // steep, as tiny models are: they go elsewhere when rounded
}

TEMPLATE_TEST_CASE("a cotangent has the same bits in any company, and changes none of the rows", "[engine][cotangents]",
                   float, double) {
    auto const model = random_model<TestType>();
    auto const prompts = tiny::random_prompts(3, {6, 9, 5}, 37);
    engine::setup const setup{.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"};
    using result = std::map<std::tuple<index, index, index>, std::vector<TestType>>;
    auto const run = [&](int threads, index count, readings<TestType>* rows = nullptr) {
        engine::cotangent_request<TestType> what;
        what.count = count;
        what.set.assign(static_cast<std::size_t>(count), 0);
        what.start = [](index pair, index point, index i, std::span<TestType> out) {
            auto const values = plateau::testing::random_vector<double>(
                static_cast<index>(out.size()), static_cast<std::uint64_t>(1 + i + 1000 * point + 100000 * pair));
            std::copy(values.begin(), values.end(), out.begin());
        };
        result found;
        std::mutex guard;
        what.take = [&](index pair, index point, index i, auto g) {
            std::lock_guard const lock{guard};
            found[{pair, point, i}].assign(g.data(), g.data() + g.size());
        };
        hooks::hook_set<TestType> looks;
        if (rows != nullptr) looks = hooks::capture<TestType>("blocks.2.hook_resid_post", keep(*rows));
        engine::carry_cotangents<TestType>(model(threads).engine(), prompts, some_pairs,
                                           {7, line<TestType>(7), setup, looks}, what);
        return found;
    };
    readings<TestType> plain, followed;
    auto const all = run(1, 5, &followed);
    CHECK(all.size() == 3 * 7 * 5);
    CHECK(plateau::testing::first_difference(run(3, 5), all) == "");
    for (auto const& [key, values] : run(2, 40)) {
        if (std::get<2>(key) < 5) REQUIRE(plateau::testing::first_difference(values, all.at(key)) == "");
    }
    engine::patched_rows<TestType> rows{model(2).engine(), prompts, 7, setup};
    rows.run(some_pairs, line<TestType>(7), hooks::capture<TestType>("blocks.2.hook_resid_post", keep(plain)));
    CHECK(plateau::testing::first_difference(followed, plain) == "");
}

TEST_CASE("values computed again for cotangents are those that were kept", "[engine][cotangents]") {
    auto const prompts = tiny::random_prompts(3, {60, 60, 60}, 37);
    for (std::string const name : {"llama_gqa", "gemma2", "gpt_neox"}) {
        auto const model = plateau::load<float>(golden::models_folder() / name, {.backend = {.threads = 2}});
        for (bool const prefix_behind : {false, true}) {  // rows of all positions, or behind a prefix
            engine::setup const setup{.write = "blocks.0.hook_resid_post",
                                      .read = "ln_final.hook_out",
                                      .positions = {prefix_behind ? hooks::positions{-2, 0} : hooks::positions{0, 0}}};
            auto const run = [&](index bytes, bool& again, std::atomic<index>& looks) {
                engine::cotangent_request<float> what;
                what.count = 2;
                what.sets.emplace_back(std::vector<std::string>{"pattern", "blocks.1.hook_mlp_in"}, model.sites());
                what.set = {0, 1};
                what.kept_bytes = bytes;
                what.start = [](index, index, index i, std::span<float> out) {
                    for (std::size_t j = 0; j < out.size(); ++j)
                        out[j] = std::cos(static_cast<float>(j * j + static_cast<std::size_t>(i)));
                };
                std::map<std::tuple<index, index, index>, std::vector<float>> found;
                std::mutex guard;
                what.take = [&](index pair, index point, index i, auto g) {
                    std::lock_guard const lock{guard};
                    found[{pair, point, i}].assign(g.data(), g.data() + g.size());
                };
                auto const hooks = hooks::scale<float>("blocks.1.hook_attn_out", 0.3) |
                                   hooks::scale<float>("blocks.1.ln1.hook_scale", 1.5) |
                                   hooks::capture<float>("blocks.1.hook_resid_post",
                                                         [&](hooks::rows_at<float>& here) { looks += here.count(); });
                again = engine::carry_cotangents<float>(model.engine(), prompts, {{0, 1}, {1, 2}},
                                                        {5, line<float>(5), setup, hooks}, what)
                            .computed_again;
                return found;
            };
            bool again_with_much = true, again_with_little = false;
            std::atomic<index> once{0}, twice{0};
            auto const kept = run(index{1} << 31, again_with_much, once), computed = run(1, again_with_little, twice);
            CAPTURE(name, prefix_behind);
            CHECK_FALSE(again_with_much);
            CHECK(again_with_little);
            CHECK(once == twice);
            CHECK(plateau::testing::first_difference(computed, kept) == "");
        }
    }
}

TEST_CASE("tangents beyond a thousand of a point come in parts, which the rows do not show", "[engine][tangents]") {
    auto const model = random_model<float>()(2);
    auto const prompts = tiny::random_prompts(2, {6, 5}, 37);
    engine::setup const setup{.write = "blocks.1.hook_resid_post", .read = "ln_final.hook_out"};
    std::atomic<index> looks{0}, points{0};
    auto const looking = hooks::capture<float>(setup.read, [&](hooks::rows_at<float>& here) { looks += here.count(); });
    auto with_progress = setup;
    with_progress.progress = [&](index done) { points += done; };
    auto const many =
        tangents_at<float>(model, prompts, {{0, 1}}, 2, with_progress, random_tangents<float>(2500), looking);
    auto const few = tangents_at<float>(model, prompts, {{0, 1}}, 2, setup, random_tangents<float>(3));
    CHECK(many.size() == 5000);
    CHECK(looks == 2);
    CHECK(points == 2);
    for (auto const& [key, values] : few) CHECK(plateau::testing::first_difference(many.at(key), values) == "");
}

TEST_CASE("a model has Jacobians, and their products with directions", "[engine][tangents]") {
    auto const model = plateau::load<double>(golden::models_folder() / "llama_gqa", {.backend = {.threads = 2}});
    std::vector<plateau::token_id> const prompt{3, 5, 7, 11};
    plateau::derivative_of const what{
        .write = "blocks.1.hook_resid_mid", .read = "unembed.hook_out", .constant = {"gate", "blocks.2.hook_attn_out"}};
    auto const u = plateau::testing::random_buffer<double, 2>({2, model.width()}, 3);
    auto const jacobian = model.jacobian(prompt, what), products = model.jvp(prompt, u, what);
    REQUIRE(jacobian.extents() == std::array<index, 2>{model.vocabulary(), model.width()});
    double largest = 0;
    for (double const value : products.flat()) largest = std::max(largest, std::abs(value));
    for (index i = 0; i < 2; ++i) {
        for (index w = 0; w < model.vocabulary(); ++w) {
            double sum = 0;
            for (index d = 0; d < model.width(); ++d) sum += jacobian(w, d) * u(i, d);
            CHECK(std::abs(products(i, w) - sum) <= 1e-12 * largest);
        }
    }
    auto const v = plateau::testing::random_buffer<double, 2>({2, model.vocabulary()}, 4);
    auto const back = model.vjp(prompt, v, what);
    for (index i = 0; i < 2; ++i) {
        for (index d = 0; d < model.width(); ++d) {
            double sum = 0;
            for (index w = 0; w < model.vocabulary(); ++w) sum += jacobian(w, d) * v(i, w);
            CHECK(std::abs(back(i, d) - sum) <= 1e-11 * largest);
        }
    }
    auto const narrow = plateau::testing::random_buffer<double, 2>({2, 5}, 3);
    CHECK_THROWS_WITH(model.vjp(prompt, narrow, what), contains("wide, not 5"));
    CHECK_THROWS_WITH(model.jvp(prompt, narrow, what), contains("are 24 wide, not 5"));
}

TEST_CASE("parts of one's own have derivatives where they say so", "[engine][tangents]") {
    auto const prompts = tiny::random_prompts(3, {5, 5}, 37);
    plateau::backend::cpu_context const cpu{2};
    plateau::model<double> const erased{cpu, plateau::testing::squared(plateau::testing::gated_by_itself<double>())};
    auto const model =
        plateau::differentiable(cpu, plateau::testing::squared(plateau::testing::gated_by_itself<double>()));
    engine::setup setup{.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"};
    CHECK(off_from_differences(model, prompts, setup) <= 1e-8);
    setup.read = "blocks.1.mlp.hook_squared";
    CHECK(off_from_differences(model, prompts, setup) <= 1e-8);
    CHECK_THROWS_WITH(off_from_differences(erased, prompts, setup), contains("this model has no derivatives"));
    auto const v = plateau::testing::random_buffer<double, 2>({1, model.width()}, 4);
    CHECK_THROWS_WITH(model.vjp({1, 2}, v), contains("no derivative backwards"));
}

TEST_CASE("what has no derivative is refused", "[engine][tangents]") {
    auto const model = random_model<float>()(1);
    auto const prompts = tiny::random_prompts(3, {6, 6}, 37);
    engine::setup setup{.write = "blocks.0.hook_resid_post", .read = "ln_final.hook_out"};
    auto const run = [&](engine::tangent_request<float> what, hooks::hook_set<float> const& also = {}) {
        tangents_at<float>(model, prompts, {{0, 1}}, 3, setup, std::move(what), also);
    };
    CHECK_NOTHROW(run(random_tangents<float>(1)));
    CHECK_THROWS_WITH(
        run(random_tangents<float>(1), hooks::patch<float>("blocks.1.hook_mlp_out", [](auto& here) { here.change(); })),
        contains("changes values and has no derivative"));
    for (std::string const site : {"blocks.1.attn.hook_pattern", "blocks.1.attn.hook_attn_scores"}) {
        setup.read = site;
        CHECK_THROWS_WITH(run(random_tangents<float>(1)), contains("tangents at " + site + " are not defined"));
    }
    setup.read = "blocks.0.hook_resid_pre";
    CHECK_THROWS_AS(run(random_tangents<float>(1)), plateau::site_error);  // before the write
    setup.read = "ln_final.hook_out";
    auto endless = random_tangents<float>(1);
    endless.start = [](index, index, index, auto, auto, auto out) { out(0, 0) = INFINITY; };
    CHECK_THROWS_AS(run(endless), plateau::numeric_error);
    auto without = random_tangents<float>(1);
    without.set = {1};
    CHECK_THROWS_WITH(run(without), contains("there is no set 1"));
    CHECK_THROWS_WITH((hooks::constant_sites{{"mlp"}, model.sites()}), contains("no hook point 'mlp'"));
}

}  // namespace
