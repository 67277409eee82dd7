#pragma once
/// Bodies of io/tokenizer/folder.hpp.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/mapped_file.hpp>
#include <plateau/io/path_text.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/text_file.hpp>
#include <plateau/io/tokenizer/folder.hpp>
#include <plateau/io/tokenizer/json.hpp>
#include <plateau/io/tokenizer/spec.hpp>

namespace plateau::io {

namespace detail {

/// The object in a file of a folder; an empty one if there is no such file.
PLATEAU_INLINE json_document read_object(std::string const& file) {
    auto document = parse_json(is_there(file) ? read_text(file) : "{}", file);
    if (!document.root().is_object())
        throw config_error(file, ": expected an object, found ", describe(document.root()));
    return document;
}

PLATEAU_INLINE void apply_beside(tokenizer_spec& spec, std::filesystem::path const& folder, std::string_view defaults) {
    auto const config = under(folder.string(), "tokenizer_config.json");
    auto const settings = read_object(config), more = read_object(under(folder.string(), "added_tokens.json")),
               named = read_object(under(folder.string(), "special_tokens_map.json")),
               usual = parse_json(defaults, spec.where);
    apply_tokenizer_config(
        spec, {settings.root(), more.root(), named.root(), usual.root(), is_there(config) ? config : spec.where});
}

/// What a class of transformers says of its vocab.json and merges.txt: its steps, and the tokens that it names unless
/// tokenizer_config.json names others.
struct tokenizer_class {
    std::string_view name, steps, tokens;
};

// Steps are written as a tokenizer.json spells them; %s is add_prefix_space.
inline constexpr tokenizer_class tokenizer_classes[] = {
    {"GPT2Tokenizer", R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": %s},
                          "decoder": {"type": "ByteLevel"}})",
     R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})"},
    {"Qwen2Tokenizer", R"({"normalizer": {"type": "NFC"}, "decoder": {"type": "ByteLevel"},
                           "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                               {"type": "Split", "behavior": "Isolated", "pattern": {"Regex":
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
                               {"type": "ByteLevel", "add_prefix_space": %s, "use_regex": false}]}})",
     R"({"eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})"},
};

/// The class that transformers takes for a model_type, of those above.
PLATEAU_INLINE std::string_view class_of_model(std::string_view type) {
    for (std::string_view const like_gpt2 : {"gpt2", "gpt_neo", "gptj", "codegen", "opt", "phi", "gpt_bigcode"}) {
        if (type == like_gpt2) return "GPT2Tokenizer";
    }
    for (std::string_view const like_qwen2 : {"qwen2", "qwen2_moe", "qwen3", "qwen3_moe"}) {
        if (type == like_qwen2) return "Qwen2Tokenizer";
    }
    return "";
}

PLATEAU_INLINE std::string conversion_of(std::filesystem::path const& folder) {
    auto const path = folder.string();
    return concat(
        {"make a tokenizer.json with transformers: python -c \"from transformers import AutoTokenizer; "
         "AutoTokenizer.from_pretrained('",
         path, "').save_pretrained('", path, "')\""});
}

PLATEAU_INLINE tokenizer_class const& class_of(std::filesystem::path const& folder, json const& config,
                                               std::string& notice) {
    auto const config_file = under(folder.string(), "tokenizer_config.json"),
               model_file = under(folder.string(), "config.json");
    auto const model = read_object(model_file);
    auto name = field_or<std::string>(config, "tokenizer_class", "", config_file);
    if (name.empty()) name = field_or<std::string>(model.root(), "tokenizer_class", "", model_file);
    for (std::string_view const general : {"PreTrainedTokenizer", "PreTrainedTokenizerFast", "TokenizersBackend"}) {
        if (name == general) name.clear();
    }
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    if (name.empty()) name = class_of_model(field_or<std::string>(model.root(), "model_type", "", model_file));
    if (name.empty()) {
        name = "GPT2Tokenizer";
        notice = concat({folder.string(),
                         ": nothing says how vocab.json and merges.txt cut words; taken as GPT-2's (no "
                         "\"tokenizer_class\" in tokenizer_config.json, no tokenizer.json)"});
    }
    for (auto const& known : tokenizer_classes) {
        if (known.name == name) return known;
    }
    throw config_error(folder.string(), ": the class ", printable(name),
                       " of vocab.json and merges.txt is not supported; ", conversion_of(folder));
}

PLATEAU_INLINE tokenizer_spec read_vocab_and_merges(std::filesystem::path const& folder) {
    tokenizer_spec spec;
    auto const vocabulary = under(folder.string(), "vocab.json"), merges = under(folder.string(), "merges.txt");
    spec.where = vocabulary;
    auto const config = read_object(under(folder.string(), "tokenizer_config.json"));
    auto const& known = class_of(folder, config.root(), spec.notice);
    std::string steps{known.steps};
    bool const space = field_or<bool>(config.root(), "add_prefix_space", false, spec.where);
    steps.replace(steps.find("%s"), 2, space ? "true" : "false");
    auto const parsed = parse_json(steps, spec.where);
    parse_tokenizer_steps(parsed.root(), spec);
    parse_vocabulary(read_object(vocabulary).root(), spec);
    spec.where = merges;
    std::string const text = read_text(merges);
    std::string left, right;
    for (auto rest = without_byte_order_mark(text, merges); !rest.empty();) {
        auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with("#version")) continue;
        if (!split_merge(line, left, right))
            throw config_error(merges, ": a merge must be two tokens, found ", printable(line));
        spec.merges.emplace_back(std::move(left), std::move(right));
    }
    apply_beside(spec, folder, known.tokens);
    return spec;
}

}  // namespace detail

PLATEAU_INLINE tokenizer_spec read_tokenizer_json(std::filesystem::path const& file) {
    auto spec = parse_tokenizer_json(mapped_file{file}.text(), file.string());
    detail::apply_beside(spec, file.parent_path(), "{}");
    return spec;
}

PLATEAU_INLINE tokenizer_spec read_tokenizer_folder(std::filesystem::path const& folder) {
    using detail::under, detail::is_there;
    auto const file = under(folder.string(), "tokenizer.json");
    if (is_there(file)) return read_tokenizer_json(file);
    if (is_there(under(folder.string(), "vocab.json")) && is_there(under(folder.string(), "merges.txt")))
        return detail::read_vocab_and_merges(folder);
    for (char const* const other : {"tokenizer.model", "spiece.model", "tiktoken.model", "tekken.json", "vocab.txt"}) {
        if (!is_there(under(folder.string(), other))) continue;
        throw file_error(folder.string(), ": its tokenizer is ", other, " alone, which is not read; ",
                         detail::conversion_of(folder));
    }
    return read_tokenizer_json(file);
}

}  // namespace plateau::io
