#pragma once
/// Turns the tensors of a checkpoint into weights, and keeps account of which were used.

#include <algorithm>
#include <atomic>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
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

/// Gives weights by name with the shape that the configuration implies. Vectors come with their values, on the host,
/// matrices come as memory that `fill` fills, all of them at once: each is read from its source a piece at a time and
/// packed from there, whichever thread is free, so that no matrix exists twice and all threads end together.
template <class Context, class T>
class weight_loader {
public:
    using weight = typename Context::template weight<T>;
    using vector = tensor::buffer<T, 1>;  ///< on the host

    /// @param ctx,source  kept as references      @param storage  bf16 rounds the matrices to bfloat16 (T = float);
    /// vectors stay as they are
    weight_loader(Context const& ctx, tensor_source<T> const& source, dtype storage)
        : ctx_{ctx}, source_{source}, storage_{std::is_same_v<T, float> && storage == dtype::bf16 ? dtype::bf16
                                                                                                  : dtype_of<T>} {}

    /// Names below are looked up under the first of `prefixes` under which the checkpoint has `probe`.
    [[gnu::cold]] void find_prefix(std::string const& probe, std::span<std::string_view const> prefixes) {
        for (auto const prefix : prefixes) {
            if (!source_.contains(concat({prefix, probe}))) continue;
            prefix_ = prefix;
            return;
        }
        throw file_error(source_.where(), ": there is no tensor ", prefixes.front(), probe,
                         ": is this a checkpoint of the family that its configuration names?");
    }

    bool contains(std::string const& name) const { return source_.contains(prefix_ + name); }

    /// A matrix stored as [outputs, inputs].
    weight matrix(std::string const& name, index outputs, index inputs) {
        return stored(prefix_ + name, outputs, inputs, {0, outputs, outputs, outputs});
    }

    /// The same for a tensor outside of the prefix, such as lm_head.weight.
    weight top_level_matrix(std::string const& name, index outputs, index inputs) {
        return stored(name, outputs, inputs, {0, outputs, outputs, outputs});
    }
    bool contains_top_level(std::string const& name) const { return source_.contains(name); }

    [[gnu::cold]] vector values(std::string const& name, index count) { return read_values(prefix_ + name, count); }
    [[gnu::cold]] vector top_level_values(std::string const& name, index count) { return read_values(name, count); }

    /// Elements [first, first + count) of a vector of `all`.
    [[gnu::cold]] vector values(std::string const& name, index all, index first, index count) {
        auto const whole = values(name, all);
        vector result({count});
        std::copy_n(whole.data() + first, count, result.data());
        return result;
    }

    /// Which rows of a stored tensor of `all` rows belong to a layer: runs of `run` rows, one every `stride` rows, from
    /// `first` on.
    struct row_runs {
        index first, run, stride, all;

        index operator()(index row) const { return first + row / run * stride + row % run; }
    };

    /// `name`.weight [outputs, inputs] and, if there is one, `name`.bias.
    [[gnu::cold]] nn::linear<Context, T> linear(std::string const& name, index outputs, index inputs, bool bias) {
        return linear(name, outputs, inputs, bias, {0, outputs, outputs, outputs});
    }

    /// The same of a tensor that holds other rows too.
    [[gnu::cold]] nn::linear<Context, T> linear(std::string const& name, index outputs, index inputs, bool bias,
                                                row_runs const& rows) {
        nn::linear<Context, T> layer{stored(concat({prefix_, name, ".weight"}), outputs, inputs, rows)};
        if (!bias) return layer;
        auto const all = values(name + ".bias", rows.all);
        vector own({outputs});
        for (index j = 0; j < outputs; ++j) own(j) = all(rows(j));
        layer.bias = backend::moved_to(ctx_, std::move(own));
        return layer;
    }

    struct conv1d_part {
        nn::linear<Context, T>* layer;
        index outputs;
    };

    /// The layers that share one Conv1D, one beside the other: `name`.weight [inputs, Σ outputs] and `name`.bias.
    [[gnu::cold]] void conv1d(std::string const& name, index inputs, std::initializer_list<conv1d_part> parts) {
        index all = 0;
        for (auto const& part : parts) all += part.outputs;
        std::string const matrix_name = prefix_ + name + ".weight";
        require(matrix_name, {inputs, all});
        constexpr index rows = 32;  // a few pages of each panel
        add({matrix_name,
             inputs,
             all,
             rows / writer::input_step * writer::input_step,
             true,
             {0, inputs, inputs, inputs}});
        index first = 0;
        for (auto const& [layer, outputs] : parts) {
            layer->weight = weight{ctx_, outputs, inputs, storage_};
            layer->bias = backend::moved_to(ctx_, values(name + ".bias", all, first, outputs));
            add_target({layer->weight.writer(), first, outputs});
            first += outputs;
        }
    }

    /// Marks tensors that carry nothing: matches of the pattern.
    [[gnu::cold]] void ignore(std::string const& pattern) {
        for (auto const& name : source_.names()) {
            if (matches(pattern, name)) used_.add(name);
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
        throw file_error(source_.where(), ": the configuration has no place for the tensors ",
                         join({extra.begin(), extra.begin() + static_cast<std::ptrdiff_t>(shown)}), more,
                         ": is config.json of another model?");
    }

    /// Reads and packs all matrices that were asked for, a piece at a time on `threads` threads.
    /// @param beside  something else to do meanwhile, on one of the threads
    /// @throws numeric_error on a value that is not finite: the first one in the order in which they were asked for
    void fill(int threads, std::function<void()> const& beside) {
        index largest = 0;
        for (auto const& matrix : matrices_) largest = std::max(largest, matrix.step * matrix.columns);
        std::vector<tensor::buffer<T, 1>> scratch(static_cast<std::size_t>(threads));
        std::atomic<index> read{0};
        parallel_for(threads, pieces_ + 1, [&](index item, int worker) {
            if (item == 0) return beside();
            auto& memory = scratch[static_cast<std::size_t>(worker)];
            if (memory.size() == 0) memory = tensor::buffer<T, 1>::for_overwrite({largest});
            auto const& matrix = holder_of(item - 1);
            index const first = (item - 1 - matrix.first_piece) * matrix.step;
            index const count = std::min(matrix.step, matrix.rows - first);
            pack(matrix, first, count, memory.data());
            constexpr index often = 1 << 24;  // elements
            index const elements = count * matrix.columns, before = read.fetch_add(elements);
            if (before / often != (before + elements) / often) source_.drop_pages();
        });
    }

private:
    using writer = decltype(std::declval<weight&>().writer());

    /// A weight that takes values of a stored matrix: outputs of it are the columns [first, first + outputs) of a
    /// transposed one, all rows of another.
    struct target {
        writer to;
        index first, outputs;
    };
    struct stored_matrix {
        std::string name;
        index rows, columns, step;  ///< step: rows in a piece
        bool transposed;
        row_runs stored_rows;
        index first_piece = 0;  ///< counted over all matrices
        std::size_t first_target = 0, last_target = 0;
    };

    [[gnu::cold]] vector read_values(std::string const& name, index count) {
        require(name, {count});
        vector result({count});
        source_.read_rows(name, 0, count, result.flat());
        return result;
    }

    [[gnu::cold]] weight stored(std::string const& name, index rows, index columns, row_runs const& runs) {
        require(name, {runs.all, columns});
        weight fresh{ctx_, rows, columns, storage_};
        add({name, rows, columns, writer::output_step, false, runs});
        add_target({fresh.writer(), 0, rows});
        return fresh;
    }

    [[gnu::cold]] void add(stored_matrix matrix) {
        matrix.first_piece = pieces_;
        matrix.first_target = matrix.last_target = targets_.size();
        pieces_ += (matrix.rows + matrix.step - 1) / matrix.step;
        matrices_.push_back(std::move(matrix));
    }
    [[gnu::cold]] void add_target(target const& to) {  // of the matrix that was added last
        targets_.push_back(to);
        ++matrices_.back().last_target;
    }

    [[gnu::cold]] stored_matrix const& holder_of(index piece) const {
        auto const after = std::upper_bound(matrices_.begin(), matrices_.end(), piece,
                                            [](index p, stored_matrix const& m) { return p < m.first_piece; });
        return *std::prev(after);
    }

    void pack(stored_matrix const& matrix, index first, index count, void* memory) const {
        if constexpr (std::is_same_v<T, float>) {
            if (storage_ == dtype::bf16) return pack_as<bfloat16>(matrix, first, count, memory);
        }
        pack_as<T>(matrix, first, count, memory);
    }

    /// Reads rows of a matrix as S and hands them to its weights. @param memory  for step × columns elements
    template <class S>
    void pack_as(stored_matrix const& matrix, index first, index count, void* memory) const {
        auto* const values = static_cast<S*>(memory);
        auto const& runs = matrix.stored_rows;
        for (index row = first; row < first + count;) {
            index const some = std::min(runs.run - row % runs.run, first + count - row);
            source_.read_rows(
                matrix.name, runs(row), some,
                {values + (row - first) * matrix.columns, static_cast<std::size_t>(some * matrix.columns)});
            row += some;
        }
        for (std::size_t i = matrix.first_target; i < matrix.last_target; ++i) {
            auto const& [to, column, outputs] = targets_[i];
            if (!matrix.transposed) to.outputs(first, tensor::view<S const, 2>{values, {count, matrix.columns}});
            else to.inputs(first, tensor::view<S const, 2>{values + column, {count, outputs}, {matrix.columns, 1}});
        }
    }

    /// Marks a tensor as used. @throws file_error if it is missing or has another shape
    [[gnu::cold]] void require(std::string const& name, std::vector<index> const& expected) {
        if (!source_.contains(name)) {
            throw file_error(source_.where(), ": the tensor ", name, " is missing; its nearest names are ",
                             join(nearest_names(name, source_.names())));
        }
        if (!source_.fits(name, expected)) {
            throw file_error(source_.where(), ": the tensor ", name, " has shape ", shape_text(source_.shape(name)),
                             ", the configuration implies ", shape_text(expected));
        }
        used_.add(name);
    }

    Context const& ctx_;
    tensor_source<T> const& source_;
    dtype storage_;
    std::string prefix_;
    name_index used_;
    std::vector<stored_matrix> matrices_;  // in the order in which they were asked for
    std::vector<target> targets_;          // of one matrix after the other
    index pieces_ = 0;                     // of all of them
};

}  // namespace plateau::models
