#pragma once
/// Turns the tensors of a checkpoint into weights, and keeps account of which were used.

#include <algorithm>
#include <atomic>
#include <functional>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/names.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/models/tensor_source.hpp>
#include <plateau/nn/linear.hpp>

namespace plateau::models {

/// Gives weights by name with the shape that the configuration implies. Vectors come with their values, matrices come
/// as memory that `fill` fills, all of them at once: each is read from its source a piece at a time and packed from
/// there, whichever thread is free, so that no matrix exists twice and all threads end together.
template <class Context, class T>
class weight_loader {
public:
    using weight = typename Context::template weight<T>;
    using vector = typename Context::template buffer<T, 1>;

    /// @param storage  bf16 rounds the matrices to bfloat16; vectors stay as they are
    weight_loader(tensor_source<T> const& source, dtype storage) : source_{source}, storage_{storage} {}

    /// Names below are looked up under the first of `prefixes` under which the checkpoint has `probe`.
    [[gnu::cold]] void find_prefix(std::string const& probe, std::vector<std::string> const& prefixes) {
        for (auto const& prefix : prefixes) {
            if (!source_.contains(prefix + probe)) continue;
            prefix_ = prefix;
            return;
        }
        throw file_error{source_.where(), ": there is no tensor ", prefixes.front(), probe,
                         ": is this a checkpoint of the family that its configuration names?"};
    }

    bool contains(std::string const& name) const { return source_.contains(prefix_ + name); }

    /// A matrix stored as [outputs, inputs].
    weight matrix(std::string const& name, index outputs, index inputs) {
        return stored(prefix_ + name, outputs, inputs);
    }

    /// The same for a tensor outside of the prefix, such as lm_head.weight.
    weight top_level_matrix(std::string const& name, index outputs, index inputs) {
        return stored(name, outputs, inputs);
    }
    bool contains_top_level(std::string const& name) const { return source_.contains(name); }

    vector values(std::string const& name, index count) {
        require(prefix_ + name, {count});
        vector result({count});
        source_.read(prefix_ + name, result.flat());
        return result;
    }

    /// Elements [first, first + count) of a vector of `all`.
    vector values(std::string const& name, index all, index first, index count) {
        auto const whole = values(name, all);
        vector result({count});
        std::copy_n(whole.data() + first, count, result.data());
        return result;
    }

    /// `name`.weight [outputs, inputs] and, if there is one, `name`.bias.
    nn::linear<Context, T> linear(std::string const& name, index outputs, index inputs, bool bias) {
        nn::linear<Context, T> layer{matrix(name + ".weight", outputs, inputs)};
        if (bias) layer.bias = values(name + ".bias", outputs);
        return layer;
    }

    /// The linear layers that share one Conv1D, one after the other: `name`.weight [inputs, Σ outputs], `name`.bias.
    std::vector<nn::linear<Context, T>> conv1d(std::string const& name, index inputs, std::vector<index> const& outputs) {
        index const all = std::accumulate(outputs.begin(), outputs.end(), index{0});
        std::string const matrix_name = prefix_ + name + ".weight";
        require(matrix_name, {inputs, all});
        // enough rows for a few pages of each panel
        stored_matrix matrix{matrix_name, inputs, all, true, {}, 32 / writer::input_step * writer::input_step};
        std::vector<nn::linear<Context, T>> layers;
        index first = 0;
        for (index count : outputs) {
            auto& layer = layers.emplace_back(weight{count, inputs, storage_}, values(name + ".bias", all, first, count));
            matrix.targets.push_back({layer.weight.writer(), first, count});
            first += count;
        }
        add(std::move(matrix));
        return layers;
    }

    /// Marks tensors that carry nothing: matches of the patterns.
    [[gnu::cold]] void ignore(std::vector<std::string> const& patterns) {
        for (auto const& name : source_.names()) {
            if (std::any_of(patterns.begin(), patterns.end(), [&](auto const& p) { return matches(p, name); })) {
                used_.add(name);
            }
        }
    }

    /// @throws file_error naming tensors that nothing asked for: they would change the numbers if they meant something
    [[gnu::cold]] void require_all_used() const {
        std::vector<std::string> extra;
        for (auto const& name : source_.names()) {
            if (!used_.contains(name)) extra.push_back(name);
        }
        if (extra.empty()) return;
        std::size_t const shown = std::min<std::size_t>(extra.size(), 5);
        std::string const more = extra.size() > shown ? concat({" and ", extra.size() - shown, " more"}) : "";
        throw file_error{source_.where(), ": the configuration has no place for the tensors ",
                         join({extra.begin(), extra.begin() + static_cast<std::ptrdiff_t>(shown)}), more,
                         ": is config.json of another model?"};
    }

    /// Reads and packs all matrices that were asked for, a piece at a time on `threads` threads.
    /// @param beside  something else to do meanwhile, on one of the threads
    /// @throws numeric_error on a value that is not finite: the first one in the order in which they were asked for
    void fill(int threads, std::function<void()> const& beside) {
        if constexpr (std::is_same_v<T, float>) {
            if (storage_ == dtype::bf16) return fill_as<bfloat16>(threads, beside);
        }
        fill_as<T>(threads, beside);
    }

private:
    using writer = decltype(std::declval<weight&>().writer());

    /// A stored matrix [rows, columns] and the weights that its values belong to.
    struct stored_matrix {
        struct target {
            writer to;
            index first, outputs;  ///< of the columns of a transposed matrix; else unused
        };
        std::string name;
        index rows, columns;
        bool transposed;
        std::vector<target> targets;
        index step;             ///< rows in a piece
        index first_piece = 0;  ///< counted over all matrices

        index pieces() const { return (rows + step - 1) / step; }
    };

    weight stored(std::string const& name, index rows, index columns) {
        require(name, {rows, columns});
        weight fresh{rows, columns, storage_};
        add({name, rows, columns, false, {{fresh.writer(), 0, rows}}, writer::output_step});
        return fresh;
    }

    void add(stored_matrix matrix) {
        matrix.first_piece = pieces_;
        pieces_ += matrix.pieces();
        matrices_.push_back(std::move(matrix));
    }

    template <class S>
    void fill_as(int threads, std::function<void()> const& beside) {
        index largest = 0;
        for (auto const& matrix : matrices_) largest = std::max(largest, matrix.step * matrix.columns);
        std::vector<tensor::buffer<S, 1>> scratch(static_cast<std::size_t>(threads));
        std::atomic<index> read{0};
        parallel_for(threads, pieces_ + 1, [&](index item, int worker) {
            if (item == 0) return beside();
            auto& memory = scratch[static_cast<std::size_t>(worker)];
            if (memory.size() == 0) memory = tensor::buffer<S, 1>::for_overwrite({largest});
            auto const matrix = std::upper_bound(matrices_.begin(), matrices_.end(), item - 1, [](index piece, auto const& m) {
                return piece < m.first_piece + m.pieces();
            });
            index const first = (item - 1 - matrix->first_piece) * matrix->step;
            index const count = std::min(matrix->step, matrix->rows - first), elements = count * matrix->columns;
            source_.read_rows(matrix->name, first, count, memory.flat().first(static_cast<std::size_t>(elements)));
            for (auto const& part : matrix->targets) {
                tensor::view<S const, 2> const values{memory.data() + part.first, {count, part.outputs},
                                                      {matrix->columns, 1}};
                if (matrix->transposed) part.to.inputs(first, values);
                else part.to.outputs(first, {memory.data(), {count, matrix->columns}});
            }
            constexpr index often = 1 << 24;  // elements
            index const before = read.fetch_add(elements);
            if (before / often != (before + elements) / often) source_.drop_pages();
        });
    }

    /// Marks a tensor as used. @throws file_error if it is missing or has another shape
    [[gnu::cold]] void require(std::string const& name, std::vector<index> const& expected) {
        if (!source_.contains(name)) {
            throw file_error{source_.where(), ": the tensor ", name, " is missing; its nearest names are ",
                             join(nearest_names(name, source_.names()))};
        }
        auto const shape = source_.shape(name);
        if (shape != expected) {
            throw file_error{source_.where(), ": the tensor ", name, " has shape ", shape_text(shape),
                             ", the configuration implies ", shape_text(expected)};
        }
        used_.add(name);
    }

    tensor_source<T> const& source_;
    dtype storage_;
    std::string prefix_;
    name_index used_;
    std::vector<stored_matrix> matrices_;  // in the order in which they were asked for
    index pieces_ = 0;                     // of all of them
};

}  // namespace plateau::models
