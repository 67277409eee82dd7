#pragma once
/// Prompts of a program: from files of text or of token ids, as arrays in results, and tokens as people read them.

#include <cstddef>
#include <iostream>
#include <string>
#include <vector>

#include <plateau/corpus/padded_prompts.hpp>
#include <plateau/corpus/windows.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/io/prompt_files.hpp>
#include <plateau/models/readable.hpp>
#include <plateau/program/options.hpp>
#include <plateau/program/outputs.hpp>

namespace plateau::program {

using corpus::lengths_of;
using corpus::longest_of;
using corpus::padded_tokens;
using corpus::ragged;
using io::read_integers;
using io::read_tokens;
using models::model_texts;
using models::plain_text;
using models::prompt_text;
using models::token_text;

/// Token ids of a text. @param where  the text's place, for messages      @throws file_error if it is not UTF-8
inline std::vector<token_id> encode(model_texts const& model, std::string const& text, std::string const& where) {
    try {
        return model.require_tokenizer().encode(text);
    } catch (domain_error const& problem) {
        throw file_error(where, ": ", problem.what());
    }
}

/// Token ids of a text file. @throws file_error if it cannot be read or is not UTF-8, or the model has no tokenizer
inline std::vector<token_id> encode_file(model_texts const& model, std::string const& file) {
    model.require_tokenizer();  // what is missing is said before the file is looked at
    return encode(model, io::read_text_file(file), file);
}

/// Says so if prompts that get a BOS begin with one already: transformers, too, leaves both.
inline void tell_second_bos(token_id bos, std::string const& text, prompt_list const& prompts) {
    std::size_t count = 0, first = 0;
    for (std::size_t i = prompts.size(); i-- > 0;) {
        if (!prompts[i].empty() && prompts[i].front() == bos) ++count, first = i;
    }
    if (count == 0) return;
    std::cerr << count << " of " << prompts.size() << " prompts (the first: prompt " << first << ") begin with BOS, "
              << text << ", themselves and get another, as with transformers: two in all; --bos off leaves theirs\n";
}

/// Begins every prompt with BOS if --bos, or else the default, says so. @throws usage_error if there is none to be had
inline void add_bos(common_options const& o, model_texts const& model, bool by_default, prompt_list& prompts) {
    if (!(o.bos ? *o.bos == "on" : by_default)) return;
    auto const id = model.bos();
    if (!id) throw usage_error("--bos on: this model names no beginning-of-text token");
    tell_second_bos(*id, token_text(model, *id), prompts);
    for (auto& prompt : prompts) prompt.insert(prompt.begin(), *id);
}

/// Prompts of --tokens. Says so if one holds an id that is none of the tokenizer, though the model has a place for it.
/// @throws as read_tokens
inline prompt_list tokens_of(common_options const& o, model_texts const& model, bool or_one = false) {
    auto prompts = read_tokens(o.tokens, or_one);
    if (!model.tokenizer) return prompts;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        for (std::size_t t = 0; t < prompts[i].size(); ++t) {
            if (model.tokenizer->has(prompts[i][t]) || prompts[i][t] >= model.config.vocab) continue;
            std::cerr << o.tokens << ": row " << i << ", position " << t << " holds " << prompts[i][t]
                      << ", which no token of the tokenizer has (the largest id is " << model.tokenizer->size() - 1
                      << "); it runs, since the model has a vector for it\n";
            return prompts;
        }
    }
    return prompts;
}

/// The prompts that the options ask for, of whatever length.
inline prompt_list read_prompts(common_options const& o, model_texts const& model, bool bos_by_default) {
    prompt_list prompts;
    bool bos = false;
    if (!o.tokens.empty()) {
        prompts = tokens_of(o, model);
    } else if (!o.corpus.empty()) {
        if (o.count < 1 || o.length < 1) throw usage_error("--count and --length must be at least 1");
        auto const all = encode_file(model, o.corpus);
        try {
            prompts = corpus::draw_windows(all, o.count, o.length, o.seed);
        } catch (usage_error const& problem) {
            throw usage_error(o.corpus, ": ", problem.what());
        }
    } else {
        auto const path = o.prompts.empty() ? embedded_model() + "/prompts.txt" : o.prompts;
        for (auto const& line : io::read_prompt_lines(path)) {
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

/// Prompts as they ran: tokens.npy, and lengths.npy if they differ. Binds the axes N and T.
inline void write_prompts(outputs& out, prompt_list const& prompts) {
    out.axis("N", static_cast<index>(prompts.size()));
    out.axis("T", longest_of(prompts));
    out.array("tokens.npy", padded_tokens(prompts, longest_of(prompts)));
    if (ragged(prompts)) out.array("lengths.npy", lengths_of(prompts));
}

}  // namespace plateau::program
