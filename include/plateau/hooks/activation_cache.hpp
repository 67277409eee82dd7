#pragma once
/// Activations of whole prompts as arrays, under TransformerLens' names and in its shapes.

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/plan.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::hooks {

/// One site's values of N prompts, T the longest: [N, T, D], [N, T, H, E], of norms by head [N, H, T, E], of scores and
/// patterns [N, H, T, T]. NaN beyond a prompt's length, on the axis of keys too.
template <class T>
class cached_array {
public:
    /// @param lengths  [N] of the prompts
    cached_array(site at, std::vector<index> const& lengths) : site_{std::move(at)}, lengths_{lengths} {
        for (index const length : lengths) longest_ = std::max(longest_, length);
        std::size_t size = 1;
        for (index const extent : shape_of(site_, static_cast<index>(lengths.size()), longest_)) {
            size *= static_cast<std::size_t>(extent);
        }
        values_.assign(size, std::numeric_limits<T>::quiet_NaN());
    }

    static std::vector<index> shape_of(site const& at, index prompts, index longest) {
        switch (at.axes) {
            case site_axes::heads: return {prompts, longest, at.heads, at.width};
            case site_axes::heads_first: return {prompts, at.heads, longest, at.width};
            case site_axes::keys: return {prompts, at.heads, longest, longest};
            default: return {prompts, longest, at.width};
        }
    }

    site const& at() const { return site_; }
    std::vector<index> shape() const { return shape_of(site_, static_cast<index>(lengths_.size()), longest_); }
    std::vector<T> const& values() const { return values_; }

    /// @throws shape_error if the array has another rank
    template <std::size_t Rank>
    operator tensor::view<T const, Rank>() const& {
        auto const extents = shape();
        if (extents.size() != Rank) {
            throw shape_error(site_.name(), " has ", extents.size(), " axes: ", site_.shape_text());
        }
        std::array<index, Rank> fixed{};
        std::copy(extents.begin(), extents.end(), fixed.begin());
        return {values_.data(), fixed};
    }
    template <std::size_t Rank>
    operator tensor::view<T const, Rank>() const&& = delete;  // it would outlive the values

    /// Copies rows of a forward pass to their places. Called concurrently for different prompts.
    void take(rows_at<T>& here) {
        auto const rows = here.read();
        bool const keys = site_.axes == site_axes::keys;
        bool const heads_first = keys || site_.axes == site_axes::heads_first;
        for (index r = 0; r < here.count(); ++r) {
            auto const& row = here.rows[static_cast<std::size_t>(r)];
            auto const [heads, width] = here.shape;
            if (!heads_first) {
                std::copy_n(rows[r].data(), heads * width,
                            values_.data() + (row.item * longest_ + row.position) * heads * width);
                continue;
            }
            // a block's keys end with its longest prompt; those that a prompt does not have hold no score
            index const kept = keys ? longest_ : width;
            index const seen = keys ? std::min(width, lengths_[static_cast<std::size_t>(row.item)]) : width;
            for (index h = 0; h < heads; ++h) {
                std::copy_n(rows[r][h].data(), seen,
                            values_.data() + ((row.item * heads + h) * longest_ + row.position) * kept);
            }
        }
    }

private:
    site site_;
    std::vector<index> lengths_;
    index longest_ = 0;
    std::vector<T> values_;
};

/// Arrays by the names of their sites: cache["blocks.0.attn.hook_pattern"] is [N, H, T, T].
template <class T>
class activation_cache {
public:
    activation_cache() = default;

    /// @param sites  to keep      @param lengths  [N] of the prompts that will run
    activation_cache(std::vector<site> const& sites, std::vector<index> const& lengths) {
        for (auto const& at : sites) arrays_.push_back(std::make_unique<cached_array<T>>(at, lengths));
    }

    /// Fills the arrays in a forward pass of the prompts. Lives no longer than this.
    hook_set<T> fills() {
        hook_set<T> all;
        for (auto const& array : arrays_) {
            all = all | capture<T>(array->at().name(), [kept = array.get()](rows_at<T>& here) { kept->take(here); });
        }
        return all;
    }

    /// @throws site_error with the nearest names if that site was not kept
    cached_array<T> const& operator[](std::string const& name) const& { return find(name); }
    /// Of a cache that nobody keeps the array itself.
    cached_array<T> operator[](std::string const& name) && { return std::move(find(name)); }

    auto begin() const { return arrays_.begin(); }
    auto end() const { return arrays_.end(); }

private:
    cached_array<T>& find(std::string const& name) const {
        std::vector<std::string> names;
        for (auto const& array : arrays_) {
            if (array->at().name() == name) return *array;
            names.push_back(array->at().name());
        }
        throw site_error("nothing was kept at '", name, "'; the nearest are ", join(nearest_names(name, names)));
    }

    std::vector<std::unique_ptr<cached_array<T>>> arrays_;
};

/// The sites that any of some patterns names, in firing order. @throws site_error if one of them names none
std::vector<site> selected_sites(std::vector<site> const& all, std::vector<std::string> const& patterns);

PLATEAU_COMPILED_CLASS(cached_array);
PLATEAU_COMPILED_CLASS(activation_cache);

}  // namespace plateau::hooks

#if !PLATEAU_COMPILED
#include <plateau/hooks/impl/activation_cache.ipp>
#endif
