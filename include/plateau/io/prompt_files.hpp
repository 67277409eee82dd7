#pragma once
/// Files of prompts: lines of text, and arrays of token ids.

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/types.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/npy.hpp>

namespace plateau::io {

/// The lines of a text file, one prompt each. @throws usage_error on an empty line
inline std::vector<std::string> read_lines(std::string const& path) {
    std::string const text = read_text(path);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t const end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) {
            throw usage_error(path + ": line " + std::to_string(lines.size() + 1) +
                              " is empty: every line is a prompt, remove it");
        }
        lines.push_back(std::move(line));
        begin = end + 1;
    }
    if (lines.empty()) throw usage_error(path + ": there is no prompt in this file");
    return lines;
}

/// An NPY file of integers. @throws usage_error if it holds something else; file_error if it is no NPY file
inline npy_data<index> read_integers(std::string const& path) {
    auto const array = read_npy(path);
    if (array.descr.find_first_of("iu") == std::string::npos) {
        throw usage_error(path + ": the array holds '" + array.descr + "', expected integers; save int32 or int64");
    }
    return integers(array, path);
}

/// Prompts of an NPY file [N,T]. @param or_one  one prompt [T] will do too      @throws usage_error, file_error
inline std::vector<std::vector<token_id>> read_tokens(std::string const& path, bool or_one = false) {
    auto array = read_integers(path);
    if (or_one && array.shape.size() == 1) array.shape.insert(array.shape.begin(), 1);
    if (array.shape.size() != 2 || array.shape[0] == 0 || array.shape[1] == 0) {
        throw usage_error(path + ": tokens must have the shape [prompts, length], neither of them 0");
    }
    std::vector<std::vector<token_id>> prompts;
    for (index i = 0; i < array.shape[0]; ++i) {
        auto& prompt = prompts.emplace_back();
        for (index t = 0; t < array.shape[1]; ++t) {
            index const token = array.values[static_cast<std::size_t>(i * array.shape[1] + t)];
            if (token < 0 || token > std::numeric_limits<token_id>::max()) {
                throw usage_error(path + ": prompt " + std::to_string(i) + " holds " + std::to_string(token) +
                                  ", which is no token id");
            }
            prompt.push_back(static_cast<token_id>(token));
        }
    }
    return prompts;
}

}  // namespace plateau::io
