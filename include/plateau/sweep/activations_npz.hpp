#pragma once
/// Activations of many sites in one NPZ file, under TransformerLens' names and shapes.

#include <functional>
#include <vector>

#include <plateau/core/memory.hpp>
#include <plateau/corpus/padded_prompts.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/hooks/activation_cache.hpp>
#include <plateau/io/npz.hpp>

namespace plateau::sweep {

namespace detail {

/// Bytes of a site's array. @throws memory_error if this machine cannot hold them
inline index bytes_of(hooks::site const& site, std::vector<index> const& shape, index element) {
    index bytes = element;
    for (index extent : shape) {
        require_memory(extent, bytes, "the values of " + site.name(), "give fewer or shorter prompts at a time");
        bytes *= extent;
    }
    return bytes;
}

}  // namespace detail

/// Runs the prompts and adds the array of every site. An array is written as a whole, so as many sites as fit into
/// memory share one run.
/// @param written  told of sites that are done      @throws memory_error, site_error, file_error
template <class T>
void add_activations(model<T> const& model, prompt_list const& prompts, std::vector<hooks::site> const& sites,
                     io::npz_writer& npz, std::function<void(index)> const& written = {}) {
    constexpr index budget = index{4} << 30;
    auto const lengths = corpus::lengths_of(prompts);
    auto const shape_of = [&](hooks::site const& site) {
        return hooks::cached_array<T>::shape_of(site, static_cast<index>(prompts.size()), corpus::longest_of(prompts));
    };
    for (auto next = sites.begin(); next != sites.end();) {
        std::vector<hooks::site> some;
        for (index bytes = 0; next != sites.end(); ++next) {
            bytes += detail::bytes_of(*next, shape_of(*next), sizeof(T));
            if (!some.empty() && bytes > budget) break;
            some.push_back(*next);
        }
        hooks::activation_cache<T> cache{some, {lengths.begin(), lengths.end()}};
        model.run(prompts, cache.fills());
        for (auto const& array : cache) {
            npz.add(array->at().name(), array->values(), array->shape());
            if (written) written(1);
        }
    }
}

}  // namespace plateau::sweep
