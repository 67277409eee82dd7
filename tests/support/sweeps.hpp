#pragma once
/// Sweeps in two ways: by the engine, and by a full forward pass of the whole prompt for every point.

#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <plateau/models/load.hpp>
#include <plateau/paths/linear.hpp>
#include <plateau/sweep/patched_rows.hpp>

#include "support/catch.hpp"
#include "support/scratch.hpp"
#include "support/tiny_checkpoint.hpp"

namespace sweeps {

using plateau::index;
namespace hooks = plateau::hooks;
namespace models = plateau::models;
namespace sweep = plateau::sweep;
using context = plateau::backend::cpu_context;

/// A random tiny Llama: gated MLP, rotary positions, grouped keys.
template <class T>
models::language_model<context, T> random_model(std::uint64_t seed = 7) {
    plateau::testing::scratch_dir const folder;
    tiny::checkpoint{seed}.write(folder.path());
    return models::load<T>(folder.path(), context{1});
}

/// Values of every row of the read sites, by (site, pair, point, position).
template <class T>
using readings = std::map<std::tuple<std::string, index, index, index>, std::vector<T>>;

template <class T>
hooks::sink<T> keep(readings<T>& into, bool with_repeated = false) {
    return hooks::serialised<T>(
        [&into, with_repeated](hooks::site const& at, hooks::where const& w, plateau::tensor::view<T const, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& id = w.rows[r];
            if (id.repeated && !with_repeated) continue;
            auto const row = rows[static_cast<index>(r)];
            index const width = at.axes == hooks::site_axes::keys ? id.position + 1 : row.extent(1);
            std::vector<T> values;
            for (index a = 0; a < row.extent(0); ++a) values.insert(values.end(), row[a].data(), row[a].data() + width);
            auto const key = std::tuple{at.name(), id.item, id.point, id.position};
            if (id.repeated) CHECK(into.at(key) == values);
            into[key] = std::move(values);
        }
    });
}

/// The straight line over `steps` points.
template <class T>
sweep::point_writer<T> line(index steps) {
    return [steps](index, index point, auto a, auto b, auto out) {
        for (index j = 0; j < out.extent(0); ++j) {
            plateau::paths::linear<T>{a[j].flat(), b[j].flat()}(plateau::paths::grid_fraction(point, steps),
                                                                out[j].flat());
        }
    };
}

/// Hooks of a sweep, told in a full forward pass what they would be told there. @param first  position that rows carry
template <class T>
hooks::hook_set<T> as_in_sweep(hooks::hook_set<T> const& set, index pair, index point, index prompt, index first) {
    hooks::hook_set<T> told;
    for (auto one : set.hooks()) {
        index const skipped = one.depends == hooks::depends_on::row ? first : 0;
        one.action = [inner = one.action, pair, point, prompt, skipped](hooks::site const& at, hooks::where const& w,
                                                                        plateau::tensor::view<T, 3> rows) {
            std::vector<hooks::row_id> ids(w.rows.begin() + skipped, w.rows.end());
            for (auto& id : ids) id.item = pair, id.point = point, id.prompt = prompt;
            inner(at, {w.layer, ids}, rows.rows(skipped, rows.extent(0) - skipped));
        };
        told = told | hooks::hook_set<T>{one};
    }
    return told;
}

/// The same experiment in the published way: the whole prompt again for every point, patched by a hook.
/// Interventions act after the patch, and are those of the engine: see as_in_sweep.
template <class T, class Model>
readings<T> published_way(Model const& model, models::prompt_list const& prompts,
                          std::vector<sweep::prompt_pair> const& pairs, sweep::patched_rows_options const& o,
                          std::vector<std::string> const& reads, hooks::hook_set<T> const& interventions = {}) {
    context const ctx{1};
    readings<T> clean;
    auto const ends = hooks::capture<T>(o.write_site, keep(clean));
    models::forward(ctx, model, prompts, o.ends_with_hooks ? ends | interventions : ends);
    readings<T> result;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        auto const prompt = [&](index i) -> auto const& { return prompts[static_cast<std::size_t>(i)]; };
        index const a = pairs[p].context, b = pairs[p].other;
        auto const span = sweep::resolve_rows(o.positions, prompt(a), prompt(b), pairs[p]);
        for (index point = 0; point < o.points; ++point) {
            auto set = hooks::patch<T>(o.write_site,
                                       [&](auto const&, hooks::where const& w, plateau::tensor::view<T, 3> rows) {
                for (std::size_t r = 0; r < w.rows.size(); ++r) {
                    index const j = w.rows[r].position - span.first;
                    if (j < 0 || j >= span.count) continue;
                    auto const& from = clean.at({o.write_site, a, 0, span.first + j});
                    auto const& to = clean.at({o.write_site, b, 0, span.other + j});
                    plateau::paths::linear<T>{from, to}(plateau::paths::grid_fraction(point, o.points),
                                                        {rows[static_cast<index>(r)].data(), from.size()});
                }
            });
            set = set | as_in_sweep(interventions, static_cast<index>(p), point, a, span.first);
            readings<T> one;
            for (auto const& read : reads) set = set | hooks::capture<T>(read, keep(one));
            models::forward(ctx, model, {prompt(a)}, set);
            for (auto const& [key, values] : one) {
                if (std::get<3>(key) >= span.first)
                    result[{std::get<0>(key), static_cast<index>(p), point, std::get<3>(key)}] = values;
            }
        }
    }
    return result;
}

/// By the engine; of rows that carry more positions than from the first written one, those are left out.
template <class T, class Model>
readings<T> engine(Model const& model, models::prompt_list const& prompts, std::vector<sweep::prompt_pair> const& pairs,
                   sweep::patched_rows_options const& o, std::vector<std::string> const& reads, int threads = 1,
                   hooks::hook_set<T> const& interventions = {}) {
    context const ctx{threads};
    readings<T> result;
    auto set = interventions;
    auto const sink = keep(result);  // one sink for all sites: one lock for one map
    for (auto const& read : reads) set = set | hooks::capture<T>(read, sink);
    sweep::patched_rows<context, Model>{ctx, model, prompts, o}.run(pairs, line<T>(o.points), set);
    std::erase_if(result, [&](auto const& entry) {
        auto const& pair = pairs[static_cast<std::size_t>(std::get<1>(entry.first))];
        auto const& a = prompts[static_cast<std::size_t>(pair.context)];
        auto const& b = prompts[static_cast<std::size_t>(pair.other)];
        return std::get<3>(entry.first) < sweep::resolve_rows(o.positions, a, b, pair).first;
    });
    return result;
}

}  // namespace sweeps
