#pragma once
/// Clean activations of more prompts than one would keep: what means and covariances are made of.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/models/forward.hpp>
#include <plateau/statistics/running_covariance.hpp>

namespace plateau::sweep {

/// Runs prompts, a few thousand positions at a time, and hands on what they have at a site, in their order: a result
/// made of it in turn does not depend on the number of threads. One batch is in memory at a time.
/// @param site  one name; heads of a site that has them lie beside each other: width = H · E
/// @param at  which positions of every prompt; {1, 0} leaves out the first, which in many models is unlike all others
/// @param take  called with [n, width], n >= 1, one batch after the other
/// @throws site_error if the name is unknown, names several sites, or one whose width differs from prompt to prompt;
///         usage_error on prompts that do not fit or have not these positions; numeric_error
template <class Context, class Model, class Take>
[[gnu::cold]] void stream_activations(Context const& ctx, Model const& model, models::prompt_list const& prompts,
                                      std::string const& site, hooks::positions at, Take const& take) {
    using T = typename Model::value_type;
    constexpr index positions_at_a_time = 4096;
    auto const where = hooks::find_site(model.sites(), site);
    if (where.axes == hooks::site_axes::keys) {
        throw site_error("'", where.name(),
                         "' has as many values as its prompt has tokens: take a site that holds a vector, such as "
                         "blocks.0.hook_resid_post");
    }
    models::require_prompts(model, prompts);
    for (std::size_t first = 0; first < prompts.size();) {
        models::prompt_list some;
        std::vector<index> begins;  // row of each prompt's first position
        index rows = 0, positions = 0;
        for (; first < prompts.size() && (some.empty() || positions < positions_at_a_time); ++first) {
            auto const length = static_cast<index>(prompts[first].size());
            at.require(length);
            begins.push_back(rows - at.first_in(length));
            rows += at.end_in(length) - at.first_in(length);
            positions += length;
            some.push_back(prompts[first]);
        }
        tensor::buffer<T, 2> batch({rows, where.heads * where.width});
        models::forward(ctx, model, some,
                        hooks::capture<T>(where.name(), [&](hooks::site const&, hooks::where const& w,
                                                            tensor::view<T const, 3> values) {
                            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                                auto const& row = w.rows[r];
                                if (!at.holds(row)) continue;
                                std::copy_n(values[static_cast<index>(r)].data(), batch.extent(1),
                                            batch[begins[static_cast<std::size_t>(row.item)] + row.position].data());
                            }
                        }));
        take(tensor::view<T const, 2>{batch.view()});
    }
}

/// Mean and covariance of activations, [width] and [width, width], from a stream. Parameters and exceptions as above.
template <class Context, class Model>
[[gnu::cold]] statistics::running_covariance activation_statistics(Context const& ctx, Model const& model,
                                                                   models::prompt_list const& prompts,
                                                                   std::string const& site, hooks::positions at) {
    using T = typename Model::value_type;
    auto const where = hooks::find_site(model.sites(), site);
    statistics::running_covariance seen{where.heads * where.width};
    stream_activations(ctx, model, prompts, site, at, [&](tensor::view<T const, 2> rows) { seen.add(rows); });
    return seen;
}

}  // namespace plateau::sweep
