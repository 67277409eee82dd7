#pragma once
/// A source of named tensors, whatever the file format.

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <plateau/core/dtype.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/mapped_file.hpp>

namespace plateau::models {

/// Named tensors under Hugging Face's names, read as T or as bfloat16. Reading is safe from many threads.
template <class T>
class tensor_source {
public:
    virtual ~tensor_source() = default;
    virtual std::string where() const = 0;  ///< file or directory, for messages
    virtual std::vector<std::string> names() const = 0;
    virtual bool contains(std::string const& name) const = 0;
    virtual std::vector<index> shape(std::string const& name) const = 0;
    /// True if the tensor has these extents. Of a source without shapes of its own every tensor has.
    virtual bool fits(std::string const& name, std::vector<index> const& extents) const {
        return shape(name) == extents;
    }

    /// Reads rows [first, first + count) of the first axis, widened or rounded.
    /// @throws numeric_error on a value that is not finite
    virtual void read_rows(std::string const& name, index first, index count, std::span<T> out) const = 0;
    virtual void read_rows(std::string const& name, index first, index count, std::span<bfloat16> out) const = 0;

    /// True if two tensors have the same shape and values. Of a baseline's those of the checkpoint count.
    virtual bool same_values(std::string const& a, std::string const& b) const {
        auto const extents = shape(a);
        if (extents != shape(b) || extents.empty()) return false;
        index width = 1;
        for (std::size_t axis = 1; axis < extents.size(); ++axis) width *= extents[axis];
        std::vector<T> values(static_cast<std::size_t>(2 * width));
        std::span const of_a{values.data(), static_cast<std::size_t>(width)}, of_b{values.data() + width, of_a.size()};
        for (index row = 0; row < extents[0]; ++row) {
            read_rows(a, row, 1, of_a);
            read_rows(b, row, 1, of_b);
            if (!std::equal(of_a.begin(), of_a.end(), of_b.begin())) return false;
        }
        return true;
    }

    /// Says that all of a tensor is read next.
    virtual void expect(std::string const&) const {}

    /// Gives back memory that holds what was read so far, if there is any. Safe while others read.
    virtual void drop_pages() const = 0;
};

/// A file or folder that a checkpoint reader of io/ reads, as a source.
template <class Checkpoint, class T>
class source_of final : public tensor_source<T> {
public:
    /// @throws file_error, config_error
    explicit source_of(std::filesystem::path const& path) : checkpoint_{path}, where_{path.string()} {}

    Checkpoint const& checkpoint() const { return checkpoint_; }
    Checkpoint& checkpoint() { return checkpoint_; }

    std::string where() const override { return where_; }
    std::vector<std::string> names() const override { return checkpoint_.names(); }
    bool contains(std::string const& name) const override { return checkpoint_.contains(name); }
    std::vector<index> shape(std::string const& name) const override { return checkpoint_.info(name).shape; }
    void read_rows(std::string const& name, index first, index count, std::span<T> out) const override {
        checkpoint_.read_rows(name, first, count, out);
    }
    void read_rows(std::string const& name, index first, index count, std::span<bfloat16> out) const override {
        checkpoint_.read_rows(name, first, count, out);
    }
    void expect(std::string const& name) const override { io::will_need(checkpoint_.bytes(name)); }
    void drop_pages() const override { checkpoint_.drop_pages(); }

private:
    Checkpoint checkpoint_;
    std::string where_;
};

}  // namespace plateau::models
