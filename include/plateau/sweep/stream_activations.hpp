#pragma once
/// Clean activations of more prompts than one would keep: what means and covariances are made of.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/statistics/running_covariance.hpp>
#include <plateau/sweep/activations.hpp>

namespace plateau::sweep {

/// Runs prompts, a few thousand positions at a time, and hands on what they have at a site, in their order: a result
/// made of it in turn does not depend on the number of threads. One batch is in memory at a time.
/// @param site  one name; heads of a site that has them lie beside each other: width = H · E
/// @param at  which positions of every prompt; {1, 0} leaves out the first, which in many models is unlike all others
/// @param take  called with [n, width], n >= 1, one batch after the other
/// @throws site_error if the name is unknown, names several sites, or one whose width differs from prompt to prompt;
///         usage_error on prompts that do not fit or have not these positions; numeric_error
template <class T, class Take>
void stream_activations(model<T> const& model, prompt_list const& prompts, std::string const& site, hooks::positions at,
                        Take const& take) {
    constexpr index positions_at_a_time = 4096;
    auto const where = require_vector_site(model.sites(), site);
    model.engine().require_prompts(prompts);
    for (std::size_t first = 0; first < prompts.size();) {
        prompt_list some;
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
        model.run(some, hooks::capture<T>(where.name(), [&](hooks::rows_at<T>& here) {
                      auto const values = here.read();
                      for (index r = 0; r < here.count(); ++r) {
                          auto const& row = here.rows[static_cast<std::size_t>(r)];
                          if (!at.holds(row)) continue;
                          index const to = begins[static_cast<std::size_t>(row.item)] + row.position;
                          std::copy_n(values[r].data(), batch.extent(1), batch[to].data());
                      }
                  }));
        take(tensor::view<T const, 2>{batch.view()});
    }
}

/// Mean and covariance of activations, [width] and [width, width], from a stream. Parameters and exceptions as above.
template <class T>
statistics::running_covariance activation_statistics(model<T> const& model, prompt_list const& prompts,
                                                     std::string const& site, hooks::positions at) {
    auto const where = hooks::find_site(model.sites(), site);
    statistics::running_covariance seen{where.heads * where.width};
    stream_activations(model, prompts, site, at, [&](tensor::view<T const, 2> rows) { seen.add(rows); });
    return seen;
}

PLATEAU_COMPILED_FUNCTION(activation_statistics);

}  // namespace plateau::sweep
