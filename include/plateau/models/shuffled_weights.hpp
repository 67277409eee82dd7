#pragma once
/// Baseline weights: every tensor's elements randomly permuted.

#include <map>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/fnv.hpp>
#include <plateau/core/rng.hpp>
#include <plateau/models/tensor_source.hpp>

namespace plateau::models {

/// The tensors of another source, the elements of each one permuted at random: a baseline with every tensor's
/// distribution and none of its structure. A permutation is a function of the seed and the tensor's name.
template <class T>
class shuffled_weights final : public tensor_source<T> {
public:
    /// @param stored  kept as a reference
    shuffled_weights(tensor_source<T> const& stored, std::uint64_t seed) : stored_{stored}, seed_{seed} {}

    std::string where() const override { return stored_.where(); }
    std::vector<std::string> names() const override { return stored_.names(); }
    bool contains(std::string const& name) const override { return stored_.contains(name); }
    std::vector<index> shape(std::string const& name) const override { return stored_.shape(name); }
    void read_rows(std::string const& name, index first, index count, std::span<T> out) const override {
        copy(name, first, count, out);
    }
    void read_rows(std::string const& name, index first, index count, std::span<bfloat16> out) const override {
        copy(name, first, count, out);
    }
    bool same_values(std::string const& a, std::string const& b) const override { return stored_.same_values(a, b); }
    void drop_pages() const override { stored_.drop_pages(); }

private:
    struct shuffled {
        std::once_flag once;
        std::vector<T> values;
        index left = 0;  ///< elements that nobody read yet: it goes when they are gone
    };

    template <class S>
    void copy(std::string const& name, index first, index count, std::span<S> out) const {
        auto& tensor = entry_of(name);
        std::call_once(tensor.once, [&] { shuffle(name, tensor); });
        index const columns = static_cast<index>(out.size()) / count;
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = S(tensor.values[static_cast<std::size_t>(first * columns) + i]);
        std::lock_guard const lock{guard_};
        tensor.left -= static_cast<index>(out.size());
        if (tensor.left <= 0) entries_.erase(name);
    }

    shuffled& entry_of(std::string const& name) const {
        std::lock_guard const lock{guard_};
        return entries_[name];
    }

    void shuffle(std::string const& name, shuffled& tensor) const {
        auto const shape = stored_.shape(name);
        index size = 1;
        for (index const extent : shape) size *= extent;
        tensor.values.resize(static_cast<std::size_t>(size));
        tensor.left = size;
        stored_.read_rows(name, 0, shape.front(), std::span<T>{tensor.values});
        counter_rng numbers{seed_ ^ fnv1a(name)};
        plateau::shuffle(std::span{tensor.values}, numbers);
    }

    tensor_source<T> const& stored_;
    std::uint64_t seed_;
    mutable std::mutex guard_;
    mutable std::map<std::string, shuffled> entries_;
};

}  // namespace plateau::models
