#pragma once
/// GGUF files put together byte by byte, right or wrong.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace plateau::testing {

template <class T>
std::string little_endian(T value) {
    return {reinterpret_cast<char const*>(&value), sizeof value};
}

inline std::string gguf_string(std::string_view text) {
    return little_endian(std::uint64_t{text.size()}) + std::string(text);
}

/// A file with the claims that a test sets. By default its counts and offsets are right.
class gguf_bytes {
public:
    std::string magic = "GGUF";
    std::uint32_t version = 3;
    std::size_t alignment = 32;                      ///< of the data; the key is up to the test
    std::uint64_t more_pairs = 0, more_tensors = 0;  ///< claimed beyond those that are there

    /// A pair of any type; `value` as stored.
    gguf_bytes& raw_pair(std::string_view key, std::uint32_t type, std::string const& value) {
        pairs_ += gguf_string(key) + little_endian(type) + value;
        ++pair_count_;
        return *this;
    }
    gguf_bytes& integer(std::string_view key, std::uint32_t value) { return raw_pair(key, 4, little_endian(value)); }
    gguf_bytes& number(std::string_view key, float value) { return raw_pair(key, 6, little_endian(value)); }
    gguf_bytes& boolean(std::string_view key, bool value) {
        return raw_pair(key, 7, std::string(1, value ? '\1' : '\0'));
    }
    gguf_bytes& text(std::string_view key, std::string_view value) { return raw_pair(key, 8, gguf_string(value)); }
    gguf_bytes& texts(std::string_view key, std::vector<std::string> const& values) {
        std::string bytes = little_endian(std::uint32_t{8}) + little_endian(std::uint64_t{values.size()});
        for (auto const& value : values) bytes += gguf_string(value);
        return raw_pair(key, 9, bytes);
    }
    gguf_bytes& integers(std::string_view key, std::vector<std::int32_t> const& values) {
        std::string bytes = little_endian(std::uint32_t{5}) + little_endian(std::uint64_t{values.size()});
        for (auto value : values) bytes += little_endian(value);
        return raw_pair(key, 9, bytes);
    }

    /// An entry of the tensor table; `extents` as stored, fastest first.
    gguf_bytes& raw_tensor(std::string_view name, std::vector<std::uint64_t> const& extents, std::uint32_t type,
                           std::uint64_t offset) {
        table_ += gguf_string(name) + little_endian(static_cast<std::uint32_t>(extents.size()));
        for (auto extent : extents) table_ += little_endian(extent);
        table_ += little_endian(type) + little_endian(offset);
        ++tensor_count_;
        return *this;
    }
    /// A tensor with its data, aligned after what is there.
    gguf_bytes& tensor(std::string_view name, std::vector<std::uint64_t> const& extents, std::uint32_t type,
                       std::string const& values) {
        data_.resize((data_.size() + alignment - 1) / alignment * alignment);
        raw_tensor(name, extents, type, data_.size());
        data_ += values;
        return *this;
    }
    gguf_bytes& floats(std::string_view name, std::vector<std::uint64_t> const& extents,
                       std::vector<float> const& values) {
        std::string bytes;
        for (float value : values) bytes += little_endian(value);
        return tensor(name, extents, 0, bytes);
    }

    std::string header() const {
        return magic + little_endian(version) + little_endian(tensor_count_ + more_tensors) +
               little_endian(pair_count_ + more_pairs) + pairs_ + table_;
    }
    std::string bytes() const {
        std::string file = header();
        if (alignment > 0) file.resize((file.size() + alignment - 1) / alignment * alignment);
        return file + data_;
    }

private:
    std::string pairs_, table_, data_;
    std::uint64_t pair_count_ = 0, tensor_count_ = 0;
};

}  // namespace plateau::testing
