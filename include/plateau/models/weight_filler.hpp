#pragma once
/// Packs stored matrices into weights a piece at a time: all of them at once, or those of a unit whenever its turn
/// comes.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/models/layer_turns.hpp>
#include <plateau/models/tensor_source.hpp>
#include <plateau/models/unit_list.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::models {

/// Which rows of a stored tensor of `all` rows belong to a layer: runs of `run` rows, one every `stride` rows, from
/// `first` on.
struct row_runs {
    index first, run, stride, all;

    index operator()(index row) const { return first + row / run * stride + row % run; }
};

/// Each matrix is read from its source a piece at a time and packed from there, whichever thread is free, so that no
/// matrix exists twice and all threads end together. Units that take turns are packed anew in the same way, so their
/// values are the same; their memory keeps its addresses, its pages come and go.
template <class Context, class T>
class weight_filler final : public weight_units {
public:
    using weight = typename Context::template weight<T>;
    using writer = decltype(std::declval<weight&>().writer());

    /// @param source  kept as a reference      @param storage  of the weights
    weight_filler(tensor_source<T> const& source, dtype storage) : source_{source}, storage_{storage} {}

    /// A stored matrix, [rows, columns].
    struct stored_matrix {
        std::string name;
        index rows, columns;
        row_runs stored_rows;
        bool transposed = false;  ///< columns are the outputs of weights, not rows
    };
    /// A weight that takes values of a matrix: outputs of it are the columns [first, first + outputs) of a transposed
    /// one, all rows of another.
    struct target {
        writer to;
        index first, outputs;
    };

    /// A matrix to read. What it fills is added behind it.
    PLATEAU_INLINE void add(stored_matrix matrix) {
        constexpr index transposed_rows = 32 / writer::input_step * writer::input_step;  // a few pages of each panel
        index const step = matrix.transposed ? transposed_rows : index{writer::output_step};
        index const first_piece = pieces_;
        pieces_ += (matrix.rows + step - 1) / step;
        matrices_.push_back({std::move(matrix), step, first_piece, targets_.size(), targets_.size()});
    }
    /// A weight that the matrix that was added last fills.
    void add_target(target to) {
        targets_.push_back(std::move(to));
        matrices_.back().last_target = targets_.size();
    }

    /// Reads and packs pieces [first, end), by default all. @param meanwhile  something else to do, on one of the
    /// threads
    /// @throws numeric_error on a value that is not finite: the first one in the order in which they were added
    PLATEAU_INLINE void fill(int threads, function_ref<void()> meanwhile, index first = 0, index end = -1) const {
        if (end < 0) end = pieces_;
        index largest = 0;
        for (auto const& task : matrices_) largest = std::max(largest, task.step * task.matrix.columns);
        std::vector<tensor::buffer<T, 1>> scratch(static_cast<std::size_t>(threads));
        std::atomic<index> read{0};
        parallel_for(threads, end - first + 1, [&](index item, int worker) {
            if (item == 0) return meanwhile();
            auto& memory = scratch[static_cast<std::size_t>(worker)];
            if (memory.size() == 0) memory = tensor::buffer<T, 1>::for_overwrite({largest});
            index const piece = first + item - 1;
            auto const& task = holder_of(piece);
            index const row = (piece - task.first_piece) * task.step;
            index const count = std::min(task.step, task.matrix.rows - row);
            pack(task, row, count, memory.data());
            index const often = index{1} << (kept_ ? 21 : 24);  // elements
            index const elements = count * task.matrix.columns, before = read.fetch_add(elements);
            if (before / often != (before + elements) / often) source_.drop_pages();
        });
    }

    /// Whether the memory of a weight can come and go.
    static constexpr bool can_take_turns = requires(weight w) { w.memory(); };

    /// What is added from here on is of this unit, all of it together.
    void begin_unit(int unit) { units_.begin(unit, pieces_); }
    /// Counts a weight to its unit, when all that it takes was added.
    void count(weight& one) {
        if constexpr (can_take_turns) {
            auto const memory = one.memory();
            units_.note(pieces_, static_cast<index>(memory.size()), memory);
        } else {
            units_.note(pieces_, one.outputs() * one.inputs() * static_cast<index>(size_of(storage_)), {});
        }
    }
    unit_list const& units() const { return units_; }

    /// Before turns begin. @param source  to be kept alive
    void take_turns(int threads, std::shared_ptr<void const> source) {
        threads_ = threads;
        kept_ = std::move(source);
        units_.prefer_large_pages();
    }
    void bring(int unit) override {
        auto const& which = units_[unit];
        for (auto const& task : matrices_) {
            if (task.first_piece >= which.first && task.first_piece < which.end) source_.expect(task.matrix.name);
        }
        fill(
            threads_, [] {}, which.first, which.end);
        source_.drop_pages();
    }
    void drop(int unit) override { units_[unit].give_back(); }

private:
    struct packing_task {
        stored_matrix matrix;
        index step;                             ///< rows in a piece
        index first_piece;                      ///< counted over all matrices
        std::size_t first_target, last_target;  ///< among those of all matrices
    };

    packing_task const& holder_of(index piece) const {
        auto const after = std::upper_bound(matrices_.begin(), matrices_.end(), piece,
                                            [](index p, packing_task const& t) { return p < t.first_piece; });
        return *std::prev(after);
    }

    void pack(packing_task const& task, index first, index count, void* memory) const {
        if constexpr (std::is_same_v<T, float>) {
            if (storage_ == dtype::bf16) return pack_as<bfloat16>(task, first, count, memory);
        }
        pack_as<T>(task, first, count, memory);
    }

    /// Reads rows of a matrix as S and hands them to its weights. @param memory  for step × columns elements
    template <class S>
    void pack_as(packing_task const& task, index first, index count, void* memory) const {
        auto* const values = static_cast<S*>(memory);
        auto const& matrix = task.matrix;
        auto const& runs = matrix.stored_rows;
        // rows that stand together in the file are read together
        for (index row = first; row < first + count;) {
            index const some = std::min(runs.run - row % runs.run, first + count - row);
            source_.read_rows(
                matrix.name, runs(row), some,
                {values + (row - first) * matrix.columns, static_cast<std::size_t>(some * matrix.columns)});
            row += some;
        }
        // outputs of a weight are rows here, or columns of a transposed matrix
        for (std::size_t i = task.first_target; i < task.last_target; ++i) {
            auto const& [to, column, outputs] = targets_[i];
            if (!matrix.transposed) to.outputs(first, tensor::view<S const, 2>{values, {count, matrix.columns}});
            else to.inputs(first, tensor::view<S const, 2>{values + column, {count, outputs}, {matrix.columns, 1}});
        }
    }

    tensor_source<T> const& source_;
    dtype storage_;
    std::vector<packing_task> matrices_;  // in the order in which they were added
    std::vector<target> targets_;         // of one matrix after the other
    index pieces_ = 0;                    // of all of them
    unit_list units_;
    int threads_ = 1;                   // that bring a unit
    std::shared_ptr<void const> kept_;  // what the source belongs to
};

}  // namespace plateau::models
