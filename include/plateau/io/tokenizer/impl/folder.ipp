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

PLATEAU_INLINE void apply_beside(tokenizer_spec& spec, std::string const& folder, std::string_view defaults,
                                 bool whole) {
    auto const config = under(folder, "tokenizer_config.json");
    auto const settings = read_object(config), more = read_object(under(folder, "added_tokens.json")),
               named = read_object(under(folder, "special_tokens_map.json")), usual = parse_json(defaults, spec.where);
    apply_tokenizer_config(spec, {settings.root(), more.root(), named.root(), usual.root(),
                                  is_there(config) ? config : spec.where, whole});
}

/// What transformers knows of a class of tokenizers: the model_types of config.json that mean it, its steps, and the
/// tokens that it names unless tokenizer_config.json names others. Without steps: not ours.
struct tokenizer_class {
    std::string_view name, models, steps, tokens;
    bool characters = false;  ///< with a tokenizer.json alone
};

inline constexpr std::string_view llama_steps =
    R"({"pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "split": false, "prepend_scheme": "first",
                          "add_prefix_space": %s},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}})";

// Steps are written as a tokenizer.json spells them; %s is add_prefix_space. The last rows: no class of its own, and
// classes that are known by name alone.
inline constexpr tokenizer_class tokenizer_classes[] = {
    {"GPT2Tokenizer", " gpt2 gpt_neo gptj codegen opt phi starcoder2 jais2 dbrx emu3 ",
     R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": %s}, "decoder": {"type": "ByteLevel"}})",
     R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>"})"},
    {"GPTNeoXTokenizer", " gpt_neox olmo olmoe mpt mamba mamba2 falcon_mamba rwkv xlstm ",
     R"({"normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": %s},
         "decoder": {"type": "ByteLevel"}})",
     R"({"bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
         "pad_token": "<|padding|>"})"},
    {"Qwen2Tokenizer", " qwen2 qwen2_moe qwen2_vl qwen2_5_vl qwen3 qwen3_moe qwen3_next qwen3_vl qwen3_vl_moe ",
     R"({"normalizer": {"type": "NFC"}, "decoder": {"type": "ByteLevel"},
                           "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                               {"type": "Split", "behavior": "Isolated", "pattern": {"Regex":
     "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"}},
                               {"type": "ByteLevel", "add_prefix_space": %s, "use_regex": false}]}})",
     R"({"eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"})"},
    {"LlamaTokenizer", " idefics idefics2 ", llama_steps,
     R"({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"})", true},
    {"CodeLlamaTokenizer", " code_llama ", llama_steps,
     R"({"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "extra_special_tokens": [
         "\u2581<PRE>", "\u2581<MID>", "\u2581<SUF>", "\u2581<EOT>", "<FILL_ME>"]})",
     true},
    {"GemmaTokenizer", " gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text recurrent_gemma shieldgemma2 t5gemma ",
     R"({"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
         "decoder": {"type": "Sequence", "decoders": [
             {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
             {"type": "Fuse"}]}})",
     R"({"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>",
         "mask_token": "<mask>"})",
     true},
    {"",
     " arctic aria ernie4_5 ernie4_5_moe flex_olmo glm glm4 glm4_moe gpt_bigcode granite granitemoe granitemoehybrid "
     "internlm2 "
     "internlm3 jamba llava llava_next minicpm3 ministral ministral3 mistral mistral3 mixtral molmo nemotron olmo2 "
     "olmo3 olmo_hybrid paddleocr_vl persimmon phi3 phimoe pixtral smolvlm stablelm vipllava voxtral ",
     "", ""},
    {"Qwen3_5Tokenizer", " qwen3_5 qwen3_5_text qwen3_5_moe qwen3_5_moe_text ", "", ""},
    {"CohereTokenizer", " cohere cohere2 ", "", ""},
    {"RobertaTokenizer", " roberta bart longformer ibert mra data2vec-text roberta-prelayernorm lilt ", "", ""},
    {"CLIPTokenizer", " clip clipseg owlvit owlv2 groupvit ", "", ""},
    {"WhisperTokenizer", " whisper ", "", ""},
    {"BlenderbotTokenizer", " blenderbot ", "", ""},
    {"DebertaTokenizer", " deberta ", "", ""},
    {"LEDTokenizer", " led ", "", ""},
    {"CTRLTokenizer", " ctrl ", "", ""},
    {"OpenAIGPTTokenizer", " openai-gpt ", "", ""},
};

/// The row that holds the model_type, or none.
PLATEAU_INLINE tokenizer_class const* class_of_model(std::string const& type) {
    for (auto const& known : tokenizer_classes) {
        if (!type.empty() && known.models.find(concat({" ", type, " "})) != std::string_view::npos) return &known;
    }
    return nullptr;
}

/// The class that a folder names, without "Fast"; empty if it names none of its own.
PLATEAU_INLINE std::string named_class(json const& config, json const& model, std::string const& where) {
    auto name = field_or<std::string>(config, "tokenizer_class", "", where);
    if (name.empty()) name = field_or<std::string>(model, "tokenizer_class", "", where);
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    return name == "PreTrainedTokenizer" || name == "TokenizersBackend" ? std::string{} : name;
}

PLATEAU_INLINE void take_steps(tokenizer_spec& spec, tokenizer_class const& known, json const& config) {
    std::string steps{known.steps};
    bool const llama = known.name == "LlamaTokenizer";
    bool const space = field_or<bool>(config, "add_prefix_space", known.steps == llama_steps, spec.where);
    if (auto const at = steps.find("%s"); at != steps.npos) steps.replace(at, 2, space ? "true" : "false");
    if (llama && field_or<bool>(config, "legacy", false, spec.where)) steps.replace(steps.find("first"), 5, "always");
    spec.normal.clear();
    spec.words.clear();
    spec.decoding.clear();
    auto const parsed = parse_json(steps, spec.where);
    parse_tokenizer_steps(parsed.root(), spec);
    if (llama && !space) spec.decoding.pop_back();
    spec.model.byte_fallback = spec.model.fuse_unknown = spec.model.characters;
    spec.model.whole_words = false;
    if (llama || !spec.model.characters) spec.model.unknown = no_token;
}

/// transformers takes only vocabulary, merges, added tokens and post-processor of a tokenizer.json where the folder
/// has a class that it knows, and the rest from the class. Returns the class, or null.
PLATEAU_INLINE tokenizer_class const* take_class(tokenizer_spec& spec, std::string const& folder) {
    auto const where = under(folder, "tokenizer_config.json");
    auto const config = read_object(where), model = read_object(under(folder, "config.json"));
    auto const type = field_or<std::string>(model.root(), "model_type", "", where);
    auto name = named_class(config.root(), model.root(), where);
    auto const* const usual = class_of_model(type);
    bool const silent = field_or<std::string>(config.root(), "tokenizer_class", "", where).empty() &&
                        field_or<std::string>(model.root(), "tokenizer_class", "", where).empty();
    if (usual != nullptr && (silent || usual->name.empty() || type == "qwen2" || type.starts_with("qwen3_5")))
        name = usual->name;
    for (auto const& known : tokenizer_classes) {
        if (known.steps.empty() || known.name != name) continue;
        if (name == "LlamaTokenizer" && !spec.model.characters) break;
        take_steps(spec, known, config.root());
        // These two set up a post-processor of their own.
        if (name == "GPTNeoXTokenizer" || name == "CodeLlamaTokenizer") spec.adds_bos = false;
        if (find_field(config.root(), "added_tokens_decoder") != nullptr) spec.added.clear();
        return &known;
    }
    return nullptr;
}

PLATEAU_INLINE std::string conversion_of(std::string const& folder) {
    return concat(
        {"make a tokenizer.json with transformers: python -c \"from transformers import AutoTokenizer; "
         "AutoTokenizer.from_pretrained('",
         folder, "').save_pretrained('", folder, "')\""});
}

PLATEAU_INLINE tokenizer_class const& class_of(std::string const& folder, json const& config, std::string& notice) {
    auto const model_file = under(folder, "config.json");
    auto const model = read_object(model_file);
    auto name = named_class(config, model.root(), under(folder, "tokenizer_config.json"));
    auto const* const usual = class_of_model(field_or<std::string>(model.root(), "model_type", "", model_file));
    if (name.empty() && usual != nullptr) name = usual->name;
    if (name.empty()) {
        name = "GPT2Tokenizer";
        notice = concat({folder,
                         ": nothing says how vocab.json and merges.txt cut words; taken as GPT-2's (no tokenizer.json, "
                         "and no \"tokenizer_class\" or \"model_type\" that tells)"});
    }
    for (auto const& known : tokenizer_classes) {
        if (known.name == name && !known.steps.empty() && !known.characters) return known;
    }
    throw config_error(folder, ": the class ", printable(name), " of vocab.json and merges.txt is not supported; ",
                       conversion_of(folder));
}

PLATEAU_INLINE tokenizer_spec read_vocab_and_merges(std::string const& folder) {
    tokenizer_spec spec;
    auto const vocabulary = under(folder, "vocab.json"), merges = under(folder, "merges.txt");
    spec.where = vocabulary;
    auto const config = read_object(under(folder, "tokenizer_config.json"));
    auto const& known = class_of(folder, config.root(), spec.notice);
    take_steps(spec, known, config.root());
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
    apply_beside(spec, folder, known.tokens, false);
    return spec;
}

}  // namespace detail

PLATEAU_INLINE tokenizer_spec read_tokenizer_json(std::filesystem::path const& file) {
    auto spec = parse_tokenizer_json(mapped_file{file}.text(), file.string());
    auto const folder = file.parent_path().string();
    auto const* const known = detail::take_class(spec, folder);
    detail::apply_beside(spec, folder, known != nullptr ? known->tokens : "{}", true);
    if (known != nullptr && known->name == "CodeLlamaTokenizer") spec.adds_bos = spec.bos.has_value();
    return spec;
}

PLATEAU_INLINE tokenizer_spec read_tokenizer_folder(std::filesystem::path const& path) {
    using detail::under, detail::is_there;
    auto const folder = path.string();
    auto const file = under(folder, "tokenizer.json");
    if (is_there(file)) return read_tokenizer_json(file);
    if (is_there(under(folder, "vocab.json")) && is_there(under(folder, "merges.txt")))
        return detail::read_vocab_and_merges(folder);
    for (char const* const other : {"tokenizer.model", "spiece.model", "tiktoken.model", "tekken.json", "vocab.txt"}) {
        if (!is_there(under(folder, other))) continue;
        throw file_error(folder, ": its tokenizer is ", other, " alone, which is not read; ",
                         detail::conversion_of(folder));
    }
    return read_tokenizer_json(file);
}

}  // namespace plateau::io
