#pragma once
/// Turns the tensors of a checkpoint into weights and linear layers.

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/models/packed_units.hpp>
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
        : requests{source}, ctx_{ctx},
          storage_{std::is_same_v<T, float> && storage == dtype::bf16 ? dtype::bf16 : dtype_of<T>}, filler_{source,
                                                                                                            storage_} {}

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
    nn::linear<Context, T> linear(std::string const& name, index outputs, index inputs, bool bias,
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
    void conv1d(std::string const& name, index inputs, std::initializer_list<conv1d_part> parts) {
        index all = 0;
        for (auto const& part : parts) all += part.outputs;
        std::string const matrix_name = requests.in_prefix(name + ".weight");
        requests.require(matrix_name, {inputs, all});
        filler_.add({matrix_name, inputs, all, {0, inputs, inputs, inputs}, true});
        index first = 0;
        for (auto const& [layer, outputs] : parts) {
            layer->weight = weight{ctx_, outputs, inputs, storage_};
            note_memory(layer->weight);
            auto const biases = values(name + ".bias", all);
            vector own({outputs});
            std::copy_n(biases.data() + first, outputs, own.data());
            layer->bias = backend::owned_by(ctx_, std::move(own));
            filler_.add_target({layer->weight.writer(), first, outputs});
            first += outputs;
        }
    }

    /// Reads and packs all matrices that were asked for. @see weight_filler
    void fill(int threads, std::function<void()> const& meanwhile) { filler_.fill(threads, meanwhile); }

    /// Whether the memory of a weight can come and go.
    static constexpr bool can_take_turns = requires(weight w) { w.memory(); };

    /// What is asked for from here on is of this unit, all of it together.
    void begin_unit(int unit) {
        unit_ = static_cast<std::size_t>(unit);
        if (unit_ >= units_.size()) units_.resize(unit_ + 1);
        units_[unit_] = {filler_.pieces(), filler_.pieces()};
    }
    std::vector<packed_unit> const& units() const { return units_; }

    /// Instead of fill(): units that are filled when their turn comes. The loader is over then.
    std::unique_ptr<weight_units> in_turns(int threads, std::shared_ptr<void const> source) {
        return std::unique_ptr<weight_units>{
            new packed_units<Context, T>{std::move(filler_), std::move(units_), threads, std::move(source)}};
    }

private:
    weight stored(std::string const& name, index rows, index columns, row_runs const& runs) {
        requests.require(name, {runs.all, columns});
        weight fresh{ctx_, rows, columns, storage_};
        filler_.add({name, rows, columns, runs});
        filler_.add_target({fresh.writer(), 0, rows});
        note_memory(fresh);
        return fresh;
    }

    /// Counts what was added last to its unit.
    void note_memory(weight& of) {
        auto& unit = units_[unit_];
        unit.end = filler_.pieces();
        unit.bytes += of.outputs() * of.inputs() * static_cast<index>(size_of(storage_));
        if constexpr (can_take_turns) unit.memory.push_back(of.memory());
    }

    Context const& ctx_;
    dtype storage_;
    weight_filler<Context, T> filler_;
    std::vector<packed_unit> units_ = {{}};  // by number; one for those who name none
    std::size_t unit_ = 0;
};

}  // namespace plateau::models
