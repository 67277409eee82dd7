#pragma once
/// Turns the tensors of a checkpoint into weights, and keeps account of which were used.

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/name_index.hpp>
#include <plateau/core/names.hpp>
#include <plateau/models/tensor_source.hpp>
#include <plateau/nn/linear.hpp>

namespace plateau::models {

/// Reads weights by name with the shape that the configuration implies. Safe from many threads.
template <class Context, class T>
class weight_loader {
public:
    using weight = typename Context::template weight<T>;
    using vector = typename Context::template buffer<T, 1>;

    /// @param storage  bf16 rounds the matrices to bfloat16; vectors stay as they are
    weight_loader(tensor_source<T> const& source, dtype storage) : source_{source}, half_{storage == dtype::bf16} {}

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

    /// A matrix stored as [rows, columns].
    weight matrix(std::string const& name, index rows, index columns) { return stored(prefix_ + name, rows, columns); }

    /// The same for a tensor outside of the prefix, such as lm_head.weight.
    weight top_level_matrix(std::string const& name, index rows, index columns) { return stored(name, rows, columns); }
    bool contains_top_level(std::string const& name) const { return source_.contains(name); }

    /// Rows [first, first + rows) of the transpose of a matrix stored as [columns, all_rows]: GPT-2's Conv1D.
    weight transposed(std::string const& name, index columns, index all_rows, index first, index rows) {
        require(prefix_ + name, {columns, all_rows});
        tensor::buffer<T, 2> whole({columns, all_rows}), part({rows, columns});
        source_.read(prefix_ + name, whole.flat());
        for (index r = 0; r < rows; ++r) {
            for (index c = 0; c < columns; ++c) part(r, c) = whole(c, first + r);
        }
        return packed(std::move(part));
    }

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

private:
    weight stored(std::string const& name, index rows, index columns) {
        require(name, {rows, columns});
        if constexpr (std::is_same_v<T, float>) {
            if (half_) {
                tensor::buffer<bfloat16, 2> half({rows, columns});
                source_.read(name, half.flat());
                return weight{std::move(half)};
            }
        }
        tensor::buffer<T, 2> full({rows, columns});
        source_.read(name, full.flat());
        return weight{std::move(full)};
    }

    weight packed(tensor::buffer<T, 2> full) const {
        if constexpr (std::is_same_v<T, float>) {
            if (half_) {
                tensor::buffer<bfloat16, 2> half(full.extents());
                for (index i = 0; i < full.size(); ++i) half.data()[i] = bfloat16{full.data()[i]};
                return weight{std::move(half)};
            }
        }
        return weight{std::move(full)};
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
        std::lock_guard const lock{guard_};
        used_.add(name);
    }

    tensor_source<T> const& source_;
    bool half_;
    std::string prefix_;
    name_index used_;
    std::mutex guard_;
};

}  // namespace plateau::models
