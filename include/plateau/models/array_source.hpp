#pragma once
/// Tensors in memory: arrays of your own as the weights of a model.

#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/names.hpp>
#include <plateau/io/convert.hpp>
#include <plateau/models/tensor_source.hpp>

namespace plateau::models {

/// Named arrays, row-major, under the names and with the shapes that the family's checkpoints have: what
/// `plateau::assemble` takes. It refers to the arrays, which must outlive the assembling and no more.
template <class T>
class array_source final : public tensor_source<T> {
public:
    /// @param where  what they are, for messages
    explicit array_source(std::string where = "arrays") : where_{std::move(where)} {}

    /// @throws shape_error unless the extents are those of so many values; usage_error if there is such a tensor
    /// already
    void add(std::string const& name, std::vector<index> const& shape, std::span<T const> values) {
        index count = 1;
        for (index const extent : shape) count *= extent;
        if (shape.empty() || count < 1 || count != static_cast<index>(values.size())) {
            throw shape_error(where_, ": ", values.size(), " values for ", name, ", whose shape has ", count);
        }
        if (!arrays_.emplace(name, array{shape, values}).second) {
            throw usage_error(where_, ": ", name, " is there twice");
        }
    }

    std::string where() const override { return where_; }
    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (auto const& one : arrays_) all.push_back(one.first);
        return all;
    }
    bool contains(std::string const& name) const override { return arrays_.contains(name); }
    std::vector<index> shape(std::string const& name) const override { return at(name).shape; }
    void read_rows(std::string const& name, index first, index count, std::span<T> out) const override {
        read(name, first, count, out);
    }
    void read_rows(std::string const& name, index first, index count, std::span<bfloat16> out) const override {
        read(name, first, count, out);
    }
    void drop_pages() const override {}

private:
    struct array {
        std::vector<index> shape;
        std::span<T const> values;
    };

    array const& at(std::string const& name) const {
        if (auto const found = arrays_.find(name); found != arrays_.end()) return found->second;
        throw file_error(where_, ": there is no ", name, "; the nearest are ", join(nearest_names(name, names())));
    }

    template <class To>
    void read(std::string const& name, index first, index count, std::span<To> out) const {
        auto const& from = at(name);
        auto const width = static_cast<index>(from.values.size()) / from.shape.front();
        if (first < 0 || count < 0 || first + count > from.shape.front() ||
            static_cast<index>(out.size()) != count * width) {
            throw shape_error(where_, ": ", name, " has ", from.shape.front(), " rows of ", width);
        }
        auto const some =
            from.values.subspan(static_cast<std::size_t>(first * width), static_cast<std::size_t>(count * width));
        index const bad = io::convert_elements(dtype_of<T>, std::as_bytes(some), out);
        if (bad < 0) return;
        throw numeric_error(where_, ": the value of ", name, " at flat index ", first * width + bad, " is not finite");
    }

    std::string where_;
    std::map<std::string, array> arrays_;
};

}  // namespace plateau::models
