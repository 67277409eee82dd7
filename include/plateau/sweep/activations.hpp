#pragma once
/// Clean activations: what prompts have at a site before anybody touches them.

#include <algorithm>
#include <string>

#include <plateau/models/forward.hpp>

namespace plateau::sweep {

/// Activations at every prompt's last position, [N, width]: the A, B and C of paths, the rows of means and covariances.
/// @param site  one name; heads of a site that has them lie beside each other: width = H · E
/// @throws site_error if the name is unknown, names several sites, or one whose width differs from prompt to prompt
///         (scores, patterns); usage_error on prompts that do not fit; numeric_error
/// @post the bits that a sweep hands to its writer as A or B
template <class Context, class Model>
[[gnu::cold]] tensor::buffer<typename Model::value_type, 2> last_activations(Context const& ctx, Model const& model,
                                                                             models::prompt_list const& prompts,
                                                                             std::string const& site) {
    using T = typename Model::value_type;
    auto const at = hooks::find_site(model.sites(), site);
    if (at.axes == hooks::site_axes::keys) {
        throw site_error("'", at.name(),
                         "' has as many values as its prompt has tokens: take a site that holds a vector, such as "
                         "blocks.0.hook_resid_post");
    }
    tensor::buffer<T, 2> result({static_cast<index>(prompts.size()), at.heads * at.width});
    models::forward(
        ctx, model, prompts,
        hooks::capture<T>(at.name(), [&](hooks::site const&, hooks::where const& w, tensor::view<T const, 3> rows) {
            for (std::size_t r = 0; r < w.rows.size(); ++r) {
                if (!w.rows[r].last) continue;
                std::copy_n(rows[static_cast<index>(r)].data(), result.extent(1), result[w.rows[r].item].data());
            }
        }));
    return result;
}

}  // namespace plateau::sweep
