#pragma once
/// Sweeps in two ways: by the engine, and by a full forward pass of the whole prompt for every point.

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <plateau/engine/patched_rows.hpp>
#include <plateau/paths/linear.hpp>

#include "support/catch.hpp"
#include "support/hooked_rows.hpp"
#include "support/threaded_model.hpp"

namespace sweeps {

using plateau::index;
using plateau::prompt_list;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;
using plateau::testing::golden_model;
using plateau::testing::random_model;
using plateau::testing::threaded_model;

/// What a sweep is asked for.
struct sweep_options {
    index points = 1;
    engine::setup setup = {};
    engine::travel travel = {};
};

/// Values of every row of the read sites, by (site, pair, point, position).
template <class T>
using readings = std::map<std::tuple<std::string, index, index, index>, std::vector<T>>;

template <class T>
hooks::sink<T> keep(readings<T>& into, bool with_copies = false) {
    return hooks::serialised<T>(
        [&into, with_copies](hooks::site const& at, hooks::where const& w, plateau::tensor::view<T const, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& id = w.rows[r];
            if (id.reference_copy && !with_copies) continue;
            auto const row = rows[static_cast<index>(r)];
            index const width = at.axes == hooks::site_axes::keys ? id.position + 1 : row.extent(1);
            std::vector<T> values;
            for (index a = 0; a < row.extent(0); ++a) values.insert(values.end(), row[a].data(), row[a].data() + width);
            auto const key = std::tuple{at.name(), id.item, id.point, id.position};
            if (id.reference_copy) CHECK(into.at(key) == values);
            into[key] = std::move(values);
        }
    });
}

/// The straight line over `steps` points, written by the host.
template <class T>
engine::point_writer<T> line(index steps) {
    return [steps](index, index point, auto from, auto to, auto out) {
        for (index j = 0; j < out.extent(0); ++j) {
            plateau::paths::linear<T>{from[j].flat(), to[j].flat()}(plateau::paths::grid_fraction(point, steps),
                                                                    out[j].flat());
        }
    };
}

/// Hooks of a sweep, told in a full forward pass what they would be told there. @param row  item, point, prompt and
/// points that they are to see      @param first  position that rows carry
template <class T>
hooks::hook_set<T> as_in_sweep(hooks::hook_set<T> const& set, hooks::row_id const& row, index first) {
    hooks::hook_set<T> told;
    for (auto one : set.hooks()) {
        auto const inner = one;
        index const skipped = one.depends == hooks::depends_on::row ? first : 0;
        one.action = [inner, row, skipped](hooks::rows_at<T>& here) {
            std::vector<hooks::row_id> ids(here.rows.begin() + skipped, here.rows.end());
            for (auto& id : ids)
                id.item = row.item, id.point = row.point, id.prompt = row.prompt, id.points = row.points;
            auto const rows = here.change();
            plateau::testing::act<T>(inner, here.at, ids, rows.rows(skipped, rows.extent(0) - skipped));
        };
        told = told | hooks::hook_set<T>{one};
    }
    return told;
}

/// The positions of a pair.
inline engine::row_span span_of(prompt_list const& prompts, engine::prompt_pair const& pair, sweep_options const& o) {
    auto const prompt = [&](index i) -> auto const& { return prompts[static_cast<std::size_t>(i)]; };
    return engine::resolve_rows(o.setup.positions, prompt(pair.context), prompt(pair.other()), pair);
}

/// The same experiment in the published way: the whole prompt again for every point, patched by a hook.
/// Interventions act after the patch, and are those of the engine: see as_in_sweep.
template <class T>
readings<T> published_way(threaded_model<T> const& model, prompt_list const& prompts,
                          std::vector<engine::prompt_pair> const& pairs, sweep_options const& o,
                          std::vector<std::string> const& reads, hooks::hook_set<T> const& interventions = {}) {
    readings<T> clean;
    auto const& write = o.setup.write;
    auto const ends = hooks::capture<T>(write, keep(clean));
    model(1).run(prompts, o.setup.endpoints_see_hooks ? ends | interventions : ends);
    readings<T> result;
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        auto const& pair = pairs[p];
        auto const span = span_of(prompts, pair, o);
        auto const end = [&](index prompt, index j) -> auto const& {
            return clean.at({write, prompt, 0, span.of(prompt, pair) + j});
        };
        for (index point = 0; point < o.points; ++point) {
            auto set =
                hooks::patch<T>(write, [&](auto const&, hooks::where const& w, plateau::tensor::view<T, 3> rows) {
                    for (std::size_t r = 0; r < w.rows.size(); ++r) {
                        index const j = w.rows[r].position - span.first;
                        if (j < 0 || j >= span.count) continue;
                        auto const &from = end(pair.from, j), &to = end(pair.to, j);
                        plateau::paths::linear<T>{from, to}(plateau::paths::grid_fraction(point, o.points),
                                                            {rows[static_cast<index>(r)].data(), from.size()});
                    }
                });
            hooks::row_id row;
            row.item = static_cast<index>(p), row.point = point, row.prompt = pair.context, row.points = o.points;
            set = set | as_in_sweep(interventions, row, span.first);
            readings<T> one;
            for (auto const& read : reads) set = set | hooks::capture<T>(read, keep(one));
            model(1).run({prompts[static_cast<std::size_t>(pair.context)]}, set);
            for (auto const& [key, values] : one) {
                if (std::get<3>(key) >= span.first)
                    result[{std::get<0>(key), static_cast<index>(p), point, std::get<3>(key)}] = values;
            }
        }
    }
    return result;
}

/// By the engine; of rows that carry more positions than from the first written one, those are left out.
/// @param points  what writes the points; the host if nothing is given
template <class T>
readings<T> by_engine(threaded_model<T> const& model, prompt_list const& prompts,
                      std::vector<engine::prompt_pair> const& pairs, sweep_options const& o,
                      std::vector<std::string> const& reads, int threads = 1,
                      hooks::hook_set<T> const& interventions = {},
                      std::optional<engine::point_writer<T>> const& points = {}) {
    readings<T> result;
    auto set = interventions;
    auto const sink = keep(result);  // one sink for all sites: one lock for one map
    for (auto const& read : reads) set = set | hooks::capture<T>(read, sink);
    engine::patched_rows<T>{model(threads).engine(), prompts, o.points, o.setup, o.travel}.run(
        pairs, points ? *points : line<T>(o.points), set);
    std::erase_if(result, [&](auto const& entry) {
        auto const& pair = pairs[static_cast<std::size_t>(std::get<1>(entry.first))];
        return std::get<3>(entry.first) < span_of(prompts, pair, o).first;
    });
    return result;
}

}  // namespace sweeps
