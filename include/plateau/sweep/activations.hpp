#pragma once
/// Clean activations: what prompts have at a site before anybody touches them.

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/model.hpp>

namespace plateau::sweep {

/// The one site of that name, which holds a vector. @throws site_error otherwise
inline hooks::site require_vector_site(std::vector<hooks::site> const& sites, std::string const& name) {
    auto const at = hooks::find_site(sites, name);
    if (at.axes != hooks::site_axes::keys) return at;
    throw site_error("'", at.name(),
                     "' has as many values as its prompt has tokens: take a site that holds a vector, such as "
                     "blocks.0.hook_resid_post");
}

/// Activations at every prompt's last position, [N, width]: the A, B and C of paths, the rows of means and covariances.
/// @param site  one name; heads of a site that has them lie beside each other: width = H · E
/// @throws site_error if the name is unknown, names several sites, or one whose width differs from prompt to prompt
///         (scores, patterns); usage_error on prompts that do not fit; numeric_error
/// @post the bits that a sweep hands to its writer as A or B
template <class T>
tensor::buffer<T, 2> last_activations(model<T> const& model, prompt_list const& prompts, std::string const& site) {
    auto const at = require_vector_site(model.sites(), site);
    tensor::buffer<T, 2> result({static_cast<index>(prompts.size()), at.heads * at.width});
    model.run(prompts, hooks::capture<T>(at.name(), [&](hooks::rows_at<T>& here) {
                  auto const rows = here.read();
                  for (index r = 0; r < here.count(); ++r) {
                      auto const& row = here.rows[static_cast<std::size_t>(r)];
                      if (row.last) std::copy_n(rows[r].data(), result.extent(1), result[row.item].data());
                  }
              }));
    return result;
}

/// Mean over prompts of their activations, [width]. @param activations  [N, width], N >= 1      Formed in double.
template <class T>
std::vector<T> mean_activation(tensor::buffer<T, 2> const& activations) {
    std::vector<double> sum(static_cast<std::size_t>(activations.extent(1)));
    for (index i = 0; i < activations.extent(0); ++i) {
        for (std::size_t k = 0; k < sum.size(); ++k)
            sum[k] += static_cast<double>(activations(i, static_cast<index>(k)));
    }
    std::vector<T> mean;
    for (double const one : sum) mean.push_back(static_cast<T>(one / static_cast<double>(activations.extent(0))));
    return mean;
}

PLATEAU_COMPILED_FUNCTION(last_activations);

}  // namespace plateau::sweep
