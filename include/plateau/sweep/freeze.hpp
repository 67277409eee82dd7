#pragma once
/// Freezing along paths: what would follow the point is held where it was, at the path's start or in its mean.

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/hooks/patch_from.hpp>
#include <plateau/sweep/patched_rows.hpp>

namespace plateau::sweep {

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

namespace detail {

/// Names of the sites that a pattern means and that can follow the point: those after the write site.
/// @throws site_error if there are none
[[gnu::cold]] inline std::vector<std::string> sites_after_write(std::vector<hooks::site> const& sites,
                                                                write_site const& write, std::string const& pattern) {
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
/// @param options  of the sweep to come      @param write  its points
/// @throws site_error on a pattern without sites or without any that follow the point; whatever the sweep throws
/// @see Shinkle & Heimersheim 2025 freeze attention or MLP outputs at their mean over the path
template <class Context, class Model>
hooks::hook_set<typename Model::value_type> freeze(Context const& ctx, Model const& model,
                                                   models::prompt_list const& prompts,
                                                   std::vector<prompt_pair> const& pairs, patched_rows_options options,
                                                   point_writer<typename Model::value_type> const& write,
                                                   std::vector<frozen_sites> const& what) {
    using T = typename Model::value_type;
    auto const sites = model.sites();
    auto const at = resolve_write_site(sites, options.write_site);
    options.on_points = {};
    options.whole_pairs = true;
    hooks::hook_set<T> frozen;
    for (auto const value : {frozen_at::context, frozen_at::path_mean}) {
        auto const values = std::make_shared<hooks::recording<T>>();
        hooks::hook_set<T> records;
        for (auto const& one : what) {
            if (one.value != value) continue;
            for (auto const& name : detail::sites_after_write(sites, at, one.pattern)) {
                bool const known = std::any_of(records.hooks().begin(), records.hooks().end(),
                                               [&](auto const& r) { return r.pattern == name; });
                if (known) continue;
                records = records | hooks::record_means<T>(name, values);
                frozen = frozen | hooks::freeze_rows<T>(name, values);
            }
        }
        if (records.empty()) continue;
        auto pass = options;
        if (value == frozen_at::context) pass.points = 1;
        point_writer<T> const own =
            [](index, index, tensor::view<T const, 2> a, tensor::view<T const, 2>, tensor::view<T, 2> out) {
            for (index j = 0; j < out.extent(0); ++j) std::copy_n(a[j].data(), a.extent(1), out[j].data());
        };
        patched_rows<Context, Model>{ctx, model, prompts, pass}.run(pairs, value == frozen_at::context ? own : write,
                                                                    records);
    }
    return frozen;
}

}  // namespace plateau::sweep
