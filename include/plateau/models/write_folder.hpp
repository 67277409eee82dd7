#pragma once
/// Writes a model of a configuration as a Hugging Face folder, tensor by tensor, however large it is.

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/atomic_file.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/models/assemble.hpp>
#include <plateau/models/random_weights.hpp>

namespace plateau::models {

/// The name and the extents of a tensor.
struct listed_tensor {
    std::string name;
    std::vector<index> shape;

    index size() const {
        index all = 1;
        for (index const extent : shape) all *= extent;
        return all;
    }
};

namespace detail {

/// A source without values that lists what a model asks of it.
template <class T>
class asked_tensors final : public tensor_source<T> {
public:
    std::string where() const override { return "a model"; }
    std::vector<std::string> names() const override { return {}; }
    bool contains(std::string const&) const override { return true; }
    std::vector<index> shape(std::string const&) const override { return {}; }
    bool fits(std::string const& name, std::vector<index> const& extents) const override {
        auto const same = [&](listed_tensor const& one) { return one.name == name; };
        if (std::none_of(asked.begin(), asked.end(), same)) asked.push_back({name, extents});
        return true;
    }
    void read_rows(std::string const&, index, index, std::span<T>) const override {}
    void read_rows(std::string const&, index, index, std::span<bfloat16>) const override {}
    void drop_pages() const override {}

    mutable std::vector<listed_tensor> asked;
};

}  // namespace detail

/// The tensors that a configuration implies, under the names of its family's checkpoints, in the order in which a model
/// asks for them. @throws config_error on a family without a row
template <class Context, class T = float>
std::vector<listed_tensor> tensors_of(Context const& ctx, io::model_config const& config) {
    detail::asked_tensors<T> const source;
    weight_loader<Context, T> loader{ctx, source, dtype::bf16};
    assembler<Context, T>{ctx, config, find_family(config.model_type, source.where()).tensors, loader}.run();
    return std::move(source.asked);
}

/// Writes tensors as model.safetensors. Memory is that of a few million elements.
/// @param stored  f32 or bf16
/// @throws file_error
template <class T>
void write_safetensors(std::filesystem::path const& path, std::vector<listed_tensor> const& tensors,
                       tensor_source<T> const& source, dtype stored, int threads) {
    auto const width = static_cast<index>(size_of(stored));
    std::string header;
    index bytes = 0;
    for (auto const& one : tensors) {
        std::string extents;
        for (index const extent : one.shape) extents += concat({extents.empty() ? "" : ",", extent});
        header += concat({header.empty() ? "{\"" : ",\"", one.name, "\":{\"dtype\":\"",
                          stored == dtype::bf16 ? "BF16" : "F32", "\",\"shape\":[", extents, "],\"data_offsets\":[",
                          bytes, ",", bytes + one.size() * width, "]}"});
        bytes += one.size() * width;
    }
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    auto const length = static_cast<std::uint64_t>(header.size());
    atomic_file file{path};
    file.write(&length, sizeof length);
    file.write(header);
    constexpr index together = 1 << 20;  // elements that a thread makes at a time
    std::vector<std::byte> memory;
    for (auto const& one : tensors) {
        index const rows = one.shape[0], columns = one.size() / rows;
        index const step = std::max<index>(1, together / columns);
        for (index first = 0; first < rows; first += step * threads) {
            index const end = std::min(rows, first + step * threads);
            memory.resize(static_cast<std::size_t>((end - first) * columns * width));
            parallel_for(threads, (end - first + step - 1) / step, [&](index i, int) {
                index const row = first + i * step, some = std::min(step, end - row);
                auto const count = static_cast<std::size_t>(some * columns);
                auto* const to = memory.data() + (row - first) * columns * width;
                if (stored == dtype::bf16)
                    source.read_rows(one.name, row, some, std::span{reinterpret_cast<bfloat16*>(to), count});
                else source.read_rows(one.name, row, some, std::span{reinterpret_cast<T*>(to), count});
            });
            file.write(memory);
        }
    }
    file.commit();
}

/// Writes a model of random weights, @see random_weights: config.json as it is given, and model.safetensors.
/// @param folder  made if it is not there      @return bytes of the weights
/// @throws file_error, config_error
template <class Context>
index write_random_folder(Context const& ctx, std::filesystem::path const& config, std::filesystem::path const& folder,
                          std::uint64_t seed, dtype stored) {
    std::string const text = io::read_text(config);
    auto const parsed = parse_model_config(text, config.string());
    auto const tensors = tensors_of<Context, float>(ctx, parsed);
    std::filesystem::create_directories(folder);
    write_safetensors<float>(folder / "model.safetensors", tensors, random_weights<float>{parsed, seed}, stored,
                             ctx.threads());
    atomic_file copy{folder / "config.json"};
    copy.write(text);
    copy.commit();
    index elements = 0;
    for (auto const& one : tensors) elements += one.size();
    return elements * static_cast<index>(size_of(stored));
}

}  // namespace plateau::models
