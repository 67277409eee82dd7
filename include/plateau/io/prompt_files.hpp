#pragma once
/// Files of prompts: lines of text, and arrays of token ids.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/io/text_file.hpp>

namespace plateau::io {

/// The lines of a text file, one text each. @throws as read_text_file
inline std::vector<std::string> read_lines(std::string const& path) {
    std::string const text = read_text_file(path);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t const end = std::min(text.find('\n', begin), text.size());
        lines.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return lines;
}

/// The lines of a text file, one prompt each. @throws usage_error on an empty line; as read_text_file
inline std::vector<std::string> read_prompt_lines(std::string const& path) {
    auto lines = read_lines(path);
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty()) throw usage_error(path, ": line ", i + 1, " is empty: every line is a prompt, remove it");
    }
    if (lines.empty()) throw usage_error(path, ": there is no prompt in this file");
    return lines;
}

/// An NPY file of integers. @throws usage_error if it holds something else, or a value beyond int64; file_error if it
/// is no NPY file
inline npy_data<index> read_integers(std::string const& path) {
    auto const array = read_npy(path);
    if (array.descr.find_first_of("iu") == std::string::npos) {
        throw usage_error(path + ": the array holds '" + array.descr + "', expected integers; save int32 or int64");
    }
    for (index i = 0; array.descr == "<u8" && i < array.size(); ++i) {
        std::uint64_t value = 0;
        std::memcpy(&value, array.data.data() + static_cast<std::size_t>(i) * sizeof value, sizeof value);
        if (value <= static_cast<std::uint64_t>(std::numeric_limits<index>::max())) continue;
        index const width = array.shape.empty() ? 1 : array.shape.back();
        throw usage_error(path, ": row ", i / width, ", column ", i % width, " (both from 0) holds ", value,
                          ", which is beyond int64; save int32 or int64");
    }
    return integers(array, path);
}

/// Prompts of an NPY file [N,T]; −1 on the right pads a shorter one.
/// @param or_one  one prompt [T] will do too
/// @throws usage_error on another shape, a value that is no token id, −1 before one or in the whole of a row;
/// file_error
inline std::vector<std::vector<token_id>> read_tokens(std::string const& path, bool or_one = false) {
    auto array = read_integers(path);
    if (or_one && array.shape.size() == 1) array.shape.insert(array.shape.begin(), 1);
    if (array.shape.size() != 2 || array.shape[0] == 0 || array.shape[1] == 0)
        throw usage_error(path, ": tokens must have the shape [prompts, length], neither of them 0");
    std::vector<std::vector<token_id>> prompts;
    auto const* row = array.values.data();
    for (index i = 0; i < array.shape[0]; ++i, row += array.shape[1]) {
        index length = array.shape[1];
        while (length > 0 && row[length - 1] == -1) --length;
        if (length == 0)
            throw usage_error(path, ": row ", i,
                              " (from 0) is -1 from column 0 on: -1 pads a shorter prompt on the "
                              "right, but this one has no token; remove the row");
        for (index t = 0; t < length; ++t) {
            if (row[t] >= 0 && row[t] <= std::numeric_limits<token_id>::max()) continue;
            throw usage_error(path, ": row ", i, ", column ", t, " (both from 0) holds ", row[t],
                              ", which is no token id",
                              row[t] == -1 ? ": -1 pads a shorter prompt on the right, and nowhere else" : "");
        }
        prompts.emplace_back(row, row + length);
    }
    return prompts;
}

}  // namespace plateau::io
