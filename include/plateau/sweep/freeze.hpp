#pragma once
/// Freezing along paths: sites that would follow the point are held at the context's own run or at their mean.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/patched_rows.hpp>
#include <plateau/hooks/patch_from.hpp>

namespace plateau::sweep {

/// A sweep to come, as far as its rows go.
template <class T>
struct sweep_points {
    index points;  ///< of a pair
    engine::point_writer<T> write;
    engine::setup setup = {};
};

/// Where sites are held.
enum class frozen_at : std::uint8_t {
    context,    ///< their value in the context prompt's own clean run, at each position of a row
    path_mean,  ///< their mean over all points of the pair's path, without any intervention, at each position of a row
};

/// A pattern of site names, and where these sites are held.
struct frozen_sites {
    std::string pattern;
    frozen_at value = frozen_at::context;
};

/// Bytes that the values of frozen sites take. @param longest  prompt, tokens
template <class T>
index frozen_bytes(model<T> const& model, std::vector<frozen_sites> const& what, index pairs,
                   engine::write_positions const& write, index longest) {
    index const own =
        write.suffix ? longest : std::max<index>(1, longest - std::max<index>(0, write.at.first_in(longest)));
    index width = 0;
    for (auto const& one : what) {
        for (auto const& site : hooks::matching_sites(model.sites(), one.pattern))
            width += site.heads * (site.axes == hooks::site_axes::keys ? longest : site.width);
    }
    return pairs * own * width * index{sizeof(T)};
}

namespace detail {

/// Names of the sites that a pattern means and that can follow the point: those after the write site.
/// @throws site_error if there are none
inline std::vector<std::string> sites_after_write(std::vector<hooks::site> const& sites,
                                                  engine::write_site const& write, std::string const& pattern) {
    auto const found = hooks::matching_sites(sites, pattern);
    std::vector<std::string> names;
    bool after = false;
    for (auto const& one : sites) {
        bool const meant = std::any_of(found.begin(), found.end(),
                                       [&](auto const& f) { return f.id == one.id && f.layer == one.layer; });
        if (after && meant) names.push_back(one.name());
        after |= write.is(one);
    }
    if (names.empty()) {
        throw site_error("nothing to freeze at '", pattern, "': its sites fire no later than the write site ",
                         write.at.name(), " and do not follow the point");
    }
    return names;
}

}  // namespace detail

/// Hooks that hold sites, at every position that a row of these pairs carries, whatever the point; to be given to a
/// sweep over the same pairs. Sites that fire no later than the write site do not follow the point and stay as they
/// are. The values come from a first pass over the same pairs without any intervention, so that a row still depends on
/// nothing but itself: one point a pair for values of the context, all of them for means (summed in double in the order
/// of the points, rounded once). Memory: the values of every frozen site, pair and position of a row.
/// @param points,setup,write  of the sweep to come
/// @throws site_error on a pattern without sites or without any that follow the point; whatever the sweep throws
/// @see Shinkle & Heimersheim 2025 freeze attention or MLP outputs at their mean over the path
template <class T>
hooks::hook_set<T> freeze(model<T> const& model, prompt_list const& prompts,
                          std::vector<engine::prompt_pair> const& pairs, sweep_points<T> const& sweep,
                          std::vector<frozen_sites> const& what) {
    auto const at = engine::resolve_write_site(model.sites(), sweep.setup.write);
    auto quiet = sweep.setup;
    quiet.progress = {};
    hooks::hook_set<T> frozen;
    for (auto const value : {frozen_at::context, frozen_at::path_mean}) {
        auto const values = std::make_shared<hooks::recording<T>>();
        hooks::hook_set<T> records;
        for (auto const& sites : what) {
            if (sites.value != value) continue;
            for (auto const& name : detail::sites_after_write(model.sites(), at, sites.pattern)) {
                bool const known = std::any_of(records.hooks().begin(), records.hooks().end(),
                                               [&](auto const& r) { return r.pattern == name; });
                if (known) continue;
                records = records | hooks::record_means<T>(name, values);
                frozen = frozen | hooks::freeze_rows<T>(name, values);
            }
        }
        if (records.empty()) continue;
        bool const own_run = value == frozen_at::context;
        engine::point_writer<T> const own =
            [&](index pair, index, tensor::view<T const, 2> from, tensor::view<T const, 2> to, tensor::view<T, 2> out) {
            auto const& p = pairs[static_cast<std::size_t>(pair)];
            auto const& context = p.context == p.from ? from : to;
            for (index j = 0; j < out.extent(0); ++j) std::copy_n(context[j].data(), context.extent(1), out[j].data());
        };
        engine::patched_rows<T> rows{model.engine(), prompts, own_run ? 1 : sweep.points, quiet};
        rows.run(pairs, own_run ? own : sweep.write, records);
    }
    return frozen;
}

PLATEAU_COMPILED_FUNCTION(freeze);

}  // namespace plateau::sweep
