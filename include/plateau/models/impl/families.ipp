#pragma once
/// Bodies of models/families.hpp: the table of families.

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/macros.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/models/families.hpp>
#include <plateau/models/families/gemma.hpp>
#include <plateau/models/families/gemma3.hpp>
#include <plateau/models/families/gpt2.hpp>
#include <plateau/models/families/gpt_neo.hpp>
#include <plateau/models/families/gpt_neox.hpp>
#include <plateau/models/families/granite.hpp>
#include <plateau/models/families/llama.hpp>
#include <plateau/models/families/mistral.hpp>
#include <plateau/models/families/olmo.hpp>
#include <plateau/models/families/olmo3.hpp>
#include <plateau/models/families/opt.hpp>
#include <plateau/models/families/phi.hpp>
#include <plateau/models/families/phi3.hpp>
#include <plateau/models/families/qwen.hpp>
#include <plateau/models/families/smollm3.hpp>
#include <plateau/models/families/stablelm.hpp>
#include <plateau/models/quantization.hpp>

namespace plateau::models {

namespace detail {

inline constexpr std::array family_table{
    family{"gemma", families::parse_gemma, families::llama_tensors},
    family{"gemma2", families::parse_gemma2, families::gemma2_tensors},
    family{"gemma3_text", families::parse_gemma3, families::gemma2_tensors},
    family{"gpt2", families::parse_gpt2, families::gpt2_tensors},
    family{"gpt_neo", families::parse_gpt_neo, families::gpt_neo_tensors},
    family{"gpt_neox", families::parse_gpt_neox, families::gpt_neox_tensors},
    family{"granite", families::parse_granite, families::llama_tensors},
    family{"llama", families::parse_llama, families::llama_tensors},
    family{"mistral", families::parse_mistral, families::llama_tensors},
    family{"olmo", families::parse_olmo, families::llama_tensors},
    family{"olmo2", families::parse_olmo2, families::olmo2_tensors},
    family{"olmo3", families::parse_olmo3, families::olmo2_tensors},
    family{"opt", families::parse_opt, families::opt_tensors},
    family{"phi", families::parse_phi, families::phi_tensors},
    family{"phi3", families::parse_phi3, families::phi3_tensors},
    family{"qwen2", families::parse_qwen2, families::llama_tensors},
    family{"qwen3", families::parse_qwen3, families::llama_tensors},
    family{"smollm3", families::parse_smollm3, families::llama_tensors},
    family{"stablelm", families::parse_stablelm, families::stablelm_tensors},
};

PLATEAU_INLINE bool is_known(std::string_view model_type) {
    for (auto const& one : family_table) {
        if (one.model_type == model_type) return true;
    }
    return false;
}

/// Models of text and more whose classes in transformers 5.24 tie the unembedding unless their own configuration, not
/// that of the text, says otherwise; and those that tie it too if that of the text says so.
inline constexpr std::string_view tied_wholes[]{
    "deepseek_vl",    "deepseek_vl_hybrid",  "gemma3",   "glmasr",   "got_ocr2",
    "granite_speech", "granite_speech_plus", "internvl", "janus",    "ovis2",
    "lighton_ocr",    "paligemma",           "mistral3", "qwen3_asr"};
inline constexpr std::string_view wholes_tied_by_text[]{"fast_vlm", "llava", "llava_next_video", "llava_onevision",
                                                        "video_llama_3"};

PLATEAU_INLINE bool holds(std::span<std::string_view const> list, std::string_view name) {
    for (auto const one : list) {
        if (one == name) return true;
    }
    return false;
}

/// What to do about a configuration that names no family.
PLATEAU_INLINE std::string without_model_type(io::json const& root) {
    io::json const* const classes = io::find_field(root, "architectures");
    std::string names;
    for (io::json const& one :
         classes != nullptr && classes->is_array() ? io::elements_of(*classes) : io::json_children{}) {
        if (one.is_string()) names = concat({names, names.empty() ? "" : ", ", io::printable(io::text_of(one))});
    }
    return concat({": the key \"model_type\" is missing", names.empty() ? "" : "; \"architectures\" names ", names,
                   ": add the \"model_type\", such as \"llama\""});
}

}  // namespace detail

PLATEAU_INLINE std::span<family const> known_families() { return detail::family_table; }

PLATEAU_INLINE family const& find_family(std::string_view model_type, std::string const& where) {
    std::string known;
    for (auto const& one : detail::family_table) {
        if (one.model_type == model_type) return one;
        known = concat({known, known.empty() ? "" : ", ", one.model_type});
    }
    throw config_error(where, ": the model_type ", io::printable(model_type), " is not supported; supported are ",
                       known);
}

PLATEAU_INLINE io::model_config parse_model_config(std::string_view json_text, std::string const& where) {
    auto const document = io::parse_json(json_text, where);
    io::json const& root = document.root();
    if (!root.is_object()) throw config_error(where, ": a configuration must be an object, found ", io::describe(root));
    if (io::find_field(root, "model_type") == nullptr) throw config_error(where, detail::without_model_type(root));
    auto model_type = io::field<std::string>(root, "model_type", where);
    io::json const* const text = io::find_field(root, "text_config");
    bool const nested = text != nullptr && text->is_object() && !detail::is_known(model_type);
    std::string const here = nested ? concat({where, ": text_config"}) : where;
    std::string const whole =
        nested ? std::exchange(model_type, io::field<std::string>(*text, "model_type", here)) : "";
    auto config = find_family(model_type, here).parse(nested ? *text : root, here);
    if (nested) {  // the whole decides what is tied
        bool const text_ties = config.tied_head;
        bool const absent = text_ties || detail::holds(detail::tied_wholes, whole);
        config.tied_head = io::field_or<bool>(root, "tie_word_embeddings", absent, where) ||
                           (text_ties && detail::holds(detail::wholes_tied_by_text, whole));
    }
    config.model_type = model_type;
    config.text_of = whole;
    config.quantization = parse_quantization(root, where);
    if (nested && config.quantization.empty()) config.quantization = parse_quantization(*text, here);
    io::require_valid(config, where);
    return config;
}

}  // namespace plateau::models
