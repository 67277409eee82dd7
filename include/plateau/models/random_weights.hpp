#pragma once
/// Untrained models: the weights that a family starts its training from.

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/fnv.hpp>
#include <plateau/core/normal.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/models/families.hpp>
#include <plateau/models/tensor_source.hpp>

namespace plateau::models {

/// Tensors as transformers initialises them: matrices N(0, σ²), σ the configuration's "initializer_range"; GPT-2
/// divides that of matrices which write to the residual stream by √(2 L). Norms are 1 (their weights 0 where 1 is
/// added), biases 0. An element is a function of the seed, the tensor's name and its place: no number of threads
/// changes it.
template <class T>
class random_weights final : public tensor_source<T> {
public:
    /// @param config  kept as a reference
    random_weights(io::model_config const& config, std::uint64_t seed)
        : config_{config}, names_{find_family(config.model_type, "a random model").tensors}, seed_{seed} {}

    std::string where() const override { return "random weights"; }
    std::vector<std::string> names() const override { return {}; }
    bool contains(std::string const&) const override { return true; }
    std::vector<index> shape(std::string const&) const override { return {}; }
    bool fits(std::string const&, std::vector<index> const&) const override { return true; }
    void read_rows(std::string const& name, index first, index count, std::span<T> out) const override {
        fill(name, first, count, out);
    }
    void read_rows(std::string const& name, index first, index count, std::span<bfloat16> out) const override {
        fill(name, first, count, out);
    }
    void drop_pages() const override {}

private:
    /// True if a name, without ".weight" and what stands before the part itself, is one of `parts`.
    static bool is_one_of(std::string_view name, std::initializer_list<std::string_view> parts) {
        if (name.ends_with(".weight")) name.remove_suffix(7);
        for (auto const part : parts) {
            if (!part.empty() && (name == part || name.ends_with(concat({".", part})))) return true;
        }
        return false;
    }

    template <class S>
    void fill(std::string const& name, index first, index count, std::span<S> out) const {
        if (name.ends_with(".bias")) return std::fill(out.begin(), out.end(), S(T{0}));
        if (is_one_of(name, {names_.final_norm, names_.norm1, names_.norm1_post, names_.norm2, names_.norm2_post,
                             names_.query_norm, names_.key_norm})) {
            return std::fill(out.begin(), out.end(), S(static_cast<T>(1 - config_.norm_offset)));
        }
        bool const scaled = config_.scaled_outputs && is_one_of(name, {names_.output, names_.out});
        double const sigma = config_.init_scale / (scaled ? std::sqrt(2.0 * static_cast<double>(config_.layers)) : 1.0);
        counter_rng const numbers{seed_ ^ fnv1a(name)};
        index const columns = static_cast<index>(out.size()) / count;
        for (index i = 0; i < static_cast<index>(out.size()); ++i) {
            auto const place = static_cast<std::uint64_t>(first * columns + i);
            double const u = (static_cast<double>(numbers.at(2 * place) >> 11) + 1) * 0x1p-53;
            double const v = static_cast<double>(numbers.at(2 * place + 1) >> 11) * 0x1p-53;
            out[static_cast<std::size_t>(i)] = S(static_cast<T>(box_muller(u, v, sigma)));
        }
    }

    io::model_config const& config_;
    tensor_names const& names_;
    std::uint64_t seed_;
};

}  // namespace plateau::models
