#pragma once
/// The Jacobians of every block on its own, of one pass.

#include <algorithm>
#include <string>
#include <vector>

#include <plateau/engine/derivatives.hpp>

namespace plateau {

/// Where a local derivative begins and ends in each block, after "blocks.N.".
struct local_derivative {
    std::string write = "hook_resid_pre";
    std::string read = "hook_resid_post";
    std::vector<std::string> constant = {};  ///< parts, as hooks::constant_sites names them
};

/// d(read)/d(write) within each block at a prompt's last position, [L, W, D]: tangents that begin anew in every block,
/// so that all blocks together cost what D rows do.
/// @throws site_error unless every block has both sites, in this order; as carry_tangents
template <class T>
tensor::buffer<T, 3> local_jacobians(model<T> const& model, std::vector<token_id> const& prompt,
                                     local_derivative const& what = {}) {
    auto const at = [&](int layer, std::string const& name) {
        return hooks::find_site(model.sites(), concat({"blocks.", layer, ".", name}));
    };
    auto const write = at(0, what.write), read = at(0, what.read);
    if (read.id <= write.id)
        throw site_error(what.read, " comes before ", what.write, " in a block: nothing can have changed there");
    index const width = write.heads * write.width, read_width = read.heads * read.width;
    tensor::buffer<T, 3> all({model.layers(), read_width, width});
    engine::tangent_request<T> request;
    request.count = width;
    request.sets = {hooks::constant_sites{what.constant, model.sites()}};
    request.set.assign(static_cast<std::size_t>(width), 0);
    request.start = [](index, index, index, auto, auto, tensor::view<T, 2> out) {
        std::fill_n(out.data(), out.extent(1), T{0});  // no block begins with it
    };
    auto const clear = [](hooks::rows_at<T>& here) {
        auto const rows = here.change();
        for (index t = 0; t < here.count(); ++t) {
            for (index h = 0; h < rows.extent(1); ++h) std::fill_n(rows[t][h].data(), rows.extent(2), T{0});
        }
    };
    auto const begin = [clear](hooks::rows_at<T>& here) {
        clear(here);
        auto const rows = here.change();
        for (index t = 0; t < here.count(); ++t) {
            index const column = here.rows[static_cast<std::size_t>(t)].tangent;
            rows(t, column / rows.extent(2), column % rows.extent(2)) = T{1};
        }
    };
    for (int layer = 0; layer < model.layers(); ++layer) {
        request.changes = request.changes | hooks::patch<T>(at(layer, "hook_resid_pre").name(), clear) |
                          hooks::patch<T>(at(layer, what.write).name(), begin);
        request.reads =
            request.reads | hooks::capture<T>(at(layer, what.read).name(), [&all, layer](hooks::rows_at<T>& here) {
                auto const rows = here.read();
                auto const into = all[layer];
                for (index t = 0; t < here.count(); ++t) {
                    index const column = here.rows[static_cast<std::size_t>(t)].tangent;
                    for (index h = 0; h < rows.extent(1); ++h) {
                        for (index e = 0; e < rows.extent(2); ++e) into(h * rows.extent(2) + e, column) = rows(t, h, e);
                    }
                }
            });
    }
    engine::carry_tangents<T>(
        model.engine(), {prompt}, {{0, 0}},
        {1, detail::own_activation<T>(), {.write = "hook_embed", .read = at(0, what.read).name()}}, std::move(request));
    return all;
}

}  // namespace plateau
