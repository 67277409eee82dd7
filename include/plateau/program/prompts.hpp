#pragma once
/// Prompts of a program: from files of text or of token ids, as arrays in results, and tokens as people read them.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <plateau/corpus/windows.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/program/options.hpp>
#include <plateau/program/outputs.hpp>

namespace plateau::program {

using models::model_texts;

/// The lines of a text file, one prompt each. @throws usage_error on an empty line
inline std::vector<std::string> read_lines(std::string const& path) {
    std::string const text = io::read_text(path);
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
inline io::npy_data<index> read_integers(std::string const& path) {
    auto const array = io::read_npy(path);
    if (array.descr.find_first_of("iu") == std::string::npos) {
        throw usage_error(path + ": the array holds '" + array.descr + "', expected integers; save int32 or int64");
    }
    return io::integers(array, path);
}

/// Prompts of an NPY file [N,T]. @param or_one  one prompt [T] will do too      @throws usage_error, file_error
inline prompt_list read_tokens(std::string const& path, bool or_one = false) {
    auto array = read_integers(path);
    if (or_one && array.shape.size() == 1) array.shape.insert(array.shape.begin(), 1);
    if (array.shape.size() != 2 || array.shape[0] == 0 || array.shape[1] == 0) {
        throw usage_error(path + ": tokens must have the shape [prompts, length], neither of them 0");
    }
    prompt_list prompts;
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

/// Token ids of a text. @param where  the text's place, for messages      @throws file_error if it is not UTF-8
inline std::vector<token_id> encode(model_texts const& model, std::string const& text, std::string const& where) {
    try {
        return model.require_tokenizer().encode(text);
    } catch (domain_error const& problem) {
        throw file_error(where + ": " + problem.what());
    }
}

/// Begins every prompt with BOS if --bos, or else the default, says so. @throws usage_error if there is none to be had
inline void add_bos(common_options const& o, model_texts const& model, bool by_default, prompt_list& prompts) {
    if (!(o.bos ? *o.bos == "on" : by_default)) return;
    auto const id = model.bos();
    if (!id) throw usage_error("--bos on: this model names no beginning-of-text token");
    for (auto& prompt : prompts) prompt.insert(prompt.begin(), *id);
}

/// The prompts that the options ask for, of whatever length.
inline prompt_list read_prompts(common_options const& o, model_texts const& model, bool bos_by_default) {
    prompt_list prompts;
    bool bos = false;
    if (!o.tokens.empty()) {
        prompts = read_tokens(o.tokens);
    } else if (!o.corpus.empty()) {
        if (o.count < 1 || o.length < 1) throw usage_error("--count and --length must be at least 1");
        auto const all = encode(model, io::read_text(o.corpus), o.corpus);
        try {
            prompts = corpus::draw_windows(all, o.count, o.length, o.seed);
        } catch (usage_error const& problem) {
            throw usage_error(o.corpus + ": " + problem.what());
        }
    } else {
        auto const path = o.prompts.empty() ? embedded_model() + "/prompts.txt" : o.prompts;
        for (auto const& line : read_lines(path)) {
            prompts.push_back(encode(model, line, path + ": line " + std::to_string(prompts.size() + 1)));
        }
        bos = bos_by_default && model.require_tokenizer().adds_bos();
    }
    add_bos(o, model, bos, prompts);
    return prompts;
}

/// The prompts that the options ask for. @param bos_by_default  prepend BOS to texts as the published tokenizer does
/// @throws usage_error unless the model can take them
template <class T>
prompt_list load_prompts(common_options const& o, model<T> const& model, bool bos_by_default) {
    auto prompts = read_prompts(o, model, bos_by_default);
    model.engine().require_prompts(prompts);
    return prompts;
}

/// Token ids [N,T] with T the longest prompt, −1 beyond a shorter one.
inline std::vector<std::int64_t> padded_tokens(prompt_list const& prompts, index longest) {
    std::vector<std::int64_t> tokens(prompts.size() * static_cast<std::size_t>(longest), -1);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        std::copy(prompts[i].begin(), prompts[i].end(), tokens.begin() + static_cast<std::ptrdiff_t>(i) * longest);
    }
    return tokens;
}

inline index longest_of(prompt_list const& prompts) {
    std::size_t longest = 0;
    for (auto const& prompt : prompts) longest = std::max(longest, prompt.size());
    return static_cast<index>(longest);
}

inline std::vector<std::int64_t> lengths_of(prompt_list const& prompts) {
    std::vector<std::int64_t> lengths;
    for (auto const& prompt : prompts) lengths.push_back(static_cast<std::int64_t>(prompt.size()));
    return lengths;
}

inline bool ragged(prompt_list const& prompts) {
    auto const lengths = lengths_of(prompts);
    return *std::min_element(lengths.begin(), lengths.end()) != longest_of(prompts);
}

/// Prompts as they ran: tokens.npy, and lengths.npy if they differ. Binds the axes N and T.
inline void write_prompts(outputs& out, prompt_list const& prompts) {
    out.axis("N", static_cast<index>(prompts.size()));
    out.axis("T", longest_of(prompts));
    out.array("tokens.npy", padded_tokens(prompts, longest_of(prompts)));
    if (ragged(prompts)) out.array("lengths.npy", lengths_of(prompts));
}

/// A token as it is shown: its text in the middle of a prompt, or its id where there is no tokenizer.
inline std::string token_text(model_texts const& model, token_id token) {
    if (!model.tokenizer || token >= model.tokenizer->size()) return std::to_string(token);
    std::string text;
    for (char const c : model.tokenizer->token_text(token)) {
        if (c == ' ') text += "␣";
        else if (c == '\n') text += "↵";
        else text += c;
    }
    return text;
}

/// A prompt as a picture shows it: in quotes, or its ids where there is no tokenizer.
inline std::string prompt_text(model_texts const& model, std::vector<token_id> const& prompt) {
    if (model.tokenizer) return "“" + model.tokenizer->decode(prompt) + "”";
    std::string ids;
    for (auto const token : prompt) ids += std::to_string(token) + " ";
    return ids;
}

}  // namespace plateau::program
