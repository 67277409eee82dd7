#pragma once
/// Turns the tensors of a checkpoint into weights and linear layers.

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/models/tensor_requests.hpp>
#include <plateau/models/weight_filler.hpp>
#include <plateau/nn/linear.hpp>

namespace plateau::models {

/// Gives weights by name with the shape that the configuration implies. Vectors come with their values, on the host,
/// matrices come as memory that `fill` fills, all of them at once.
template <class Context, class T>
class weight_loader {
public:
    using weight = typename Context::template weight<T>;
    using vector = tensor::buffer<T, 1>;  ///< on the host

    tensor_requests<T> requests;

    /// @param ctx,source  kept as references      @param storage  bf16 rounds the matrices to bfloat16 (T = float);
    /// vectors stay as they are
    weight_loader(Context const& ctx, tensor_source<T> const& source, dtype storage)
        : requests{source}, ctx_{ctx}, storage_{std::is_same_v<T, float> && storage == dtype::bf16 ? dtype::bf16
                                                                                                   : dtype_of<T>},
          filler_{new weight_filler<Context, T>{source, storage_}} {}

    bool contains(std::string const& name) const { return requests.source().contains(requests.in_prefix(name)); }
    bool contains_top_level(std::string const& name) const {
        return requests.source().contains(requests.top_level(name));
    }

    /// A matrix stored as [outputs, inputs].
    weight matrix(std::string const& name, index outputs, index inputs) {
        return stored(requests.in_prefix(name), outputs, inputs, {0, outputs, outputs, outputs});
    }
    /// The same for a tensor outside of the prefix, such as lm_head.weight.
    weight top_level_matrix(std::string const& name, index outputs, index inputs) {
        return stored(requests.top_level(name), outputs, inputs, {0, outputs, outputs, outputs});
    }

    vector values(std::string const& name, index count) { return requests.values(requests.in_prefix(name), count); }
    vector top_level_values(std::string const& name, index count) {
        return requests.values(requests.top_level(name), count);
    }

    /// `name`.weight [outputs, inputs] and, if there is one, `name`.bias.
    nn::linear<Context, T> linear(std::string const& name, index outputs, index inputs, bool bias) {
        return linear(name, outputs, inputs, bias, {0, outputs, outputs, outputs});
    }
    /// The same of a tensor that holds other rows too.
    PLATEAU_INLINE nn::linear<Context, T> linear(std::string const& name, index outputs, index inputs, bool bias,
                                                 row_runs const& rows) {
        nn::linear<Context, T> layer{stored(requests.in_prefix(name + ".weight"), outputs, inputs, rows)};
        if (!bias) return layer;
        auto const all = values(name + ".bias", rows.all);
        vector own({outputs});
        for (index j = 0; j < outputs; ++j) own(j) = all(rows(j));
        layer.bias = backend::owned_by(ctx_, std::move(own));
        return layer;
    }

    struct conv1d_part {
        nn::linear<Context, T>* layer;
        index outputs;
    };
    /// The layers that share one Conv1D, one beside the other: `name`.weight [inputs, Σ outputs] and `name`.bias.
    PLATEAU_INLINE void conv1d(std::string const& name, index inputs, std::initializer_list<conv1d_part> parts) {
        index all = 0;
        for (auto const& part : parts) all += part.outputs;
        std::string const matrix_name = requests.in_prefix(name + ".weight");
        requests.require(matrix_name, {inputs, all});
        filler_->add({matrix_name, inputs, all, {0, inputs, inputs, inputs}, true});
        index first = 0;
        for (auto const& [layer, outputs] : parts) {
            layer->weight = weight{ctx_, outputs, inputs, storage_};
            filler_->count(layer->weight);
            auto const biases = values(name + ".bias", all);
            vector own({outputs});
            std::copy_n(biases.data() + first, outputs, own.data());
            layer->bias = backend::owned_by(ctx_, std::move(own));
            filler_->add_target({layer->weight.writer(), first, outputs});
            first += outputs;
        }
    }

    /// Reads and packs all matrices that were asked for. @see weight_filler
    void fill(int threads, function_ref<void()> meanwhile) { filler_->fill(threads, meanwhile); }

    static constexpr bool can_take_turns = weight_filler<Context, T>::can_take_turns;
    /// What is asked for from here on is of this unit, all of it together.
    void begin_unit(int unit) { filler_->begin_unit(unit); }
    std::vector<index> unit_bytes() const { return filler_->units().bytes(); }
    std::vector<std::span<std::byte>> memory() const { return filler_->units().memory(); }

    /// Instead of fill(): units that are filled when their turn comes. The loader is over then.
    std::unique_ptr<weight_units> in_turns(int threads, std::shared_ptr<void const> source) {
        filler_->take_turns(threads, std::move(source));
        return std::move(filler_);
    }

private:
    PLATEAU_INLINE weight stored(std::string const& name, index rows, index columns, row_runs const& runs) {
        requests.require(name, {runs.all, columns});
        weight fresh{ctx_, rows, columns, storage_};
        filler_->add({name, rows, columns, runs});
        filler_->add_target({fresh.writer(), 0, rows});
        filler_->count(fresh);
        return fresh;
    }

    Context const& ctx_;
    dtype storage_;
    std::unique_ptr<weight_filler<Context, T>> filler_;
};

}  // namespace plateau::models
