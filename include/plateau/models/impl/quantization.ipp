#pragma once
/// Bodies of models/quantization.hpp.

#include <string>
#include <string_view>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/io/json.hpp>
#include <plateau/io/model_place.hpp>
#include <plateau/io/printable.hpp>
#include <plateau/io/safetensors.hpp>
#include <plateau/models/quantization.hpp>

namespace plateau::models {

namespace detail {

struct quantization {
    std::string_view method;
    std::string_view mark;    ///< ends the name of a tensor that only this one leaves
    std::string_view loaded;  ///< how transformers loads it as plain numbers; empty if it does not
};

inline constexpr quantization quantizations[]{
    {"gptq", ".qweight", ""},
    {"awq", ".qweight", ""},
    {"bitsandbytes", ".SCB", "t.AutoModelForCausalLM.from_pretrained('@').dequantize()"},
    {"bitsandbytes", ".absmax", "t.AutoModelForCausalLM.from_pretrained('@').dequantize()"},
    {"bitsandbytes", ".quant_map", "t.AutoModelForCausalLM.from_pretrained('@').dequantize()"},
    {"fp8", ".weight_scale_inv",
     "t.AutoModelForCausalLM.from_pretrained('@', quantization_config=t.FineGrainedFP8Config(dequantize=True))"},
    {"compressed-tensors", ".weight_packed",
     "t.AutoModelForCausalLM.from_pretrained('@', quantization_config=t.CompressedTensorsConfig(dequantize=True))"},
    {"mxfp4", "_blocks",
     "t.AutoModelForCausalLM.from_pretrained('@', quantization_config=t.Mxfp4Config(dequantize=True))"},
    {"higgs", ".tensor_scales", "t.AutoModelForCausalLM.from_pretrained('@').dequantize()"},
    {"eetq", ".weight_scales", ""},
    {"hqq", ".W_q", ""},
    {"aqlm", ".codebooks", ""},
    {"quanto", "._data", ""},
    {"compressed-tensors or modelopt", ".weight_scale", ""},
    {"compressed-tensors or modelopt", ".input_scale", ""},
    {"compressed-tensors or modelopt", ".k_scale", ""},
    {"compressed-tensors or modelopt", ".v_scale", ""},
};

/// Those that only store: plain numbers under one of them are a model that was made plain again. Others, as bitnet,
/// also change what a layer computes.
inline constexpr std::string_view storage_only[]{"gguf", "gptq",       "awq",   "bitsandbytes",
                                                 "fp8",  "fbgemm_fp8", "mxfp4", "compressed-tensors"};

/// In names of tensors that PEFT leaves unless its adapter is merged.
inline constexpr std::string_view adapter_parts[]{
    ".lora_", ".ia3_",  ".base_layer.", ".modules_to_save.", ".original_module.", ".oft_",
    ".hada_", ".lokr_", ".vera_",       "prompt_encoder.",   "prompt_embeddings"};

PLATEAU_INLINE std::string way_out(std::string_view method, std::string const& where) {
    for (auto const& one : quantizations) {
        if (one.method != method || one.loaded.empty()) continue;
        return io::command_for(concat({"; save it as plain numbers with\n  python3 -c \"import transformers as t; m = ",
                                       one.loaded, "; m.save_pretrained('@-plain')\""}),
                               where);
    }
    return "; fetch the model that it was made from, unquantised (\"base model\" on its page), with\n"
           "  hf download ORGANISATION/NAME";
}

}  // namespace detail

PLATEAU_INLINE std::string parse_quantization(io::json const& root, std::string const& where) {
    for (auto const* key : {"quantization_config", "compression_config"}) {
        if (io::find_field(root, key) == nullptr) continue;
        auto const& how = io::object_field(root, key, where);
        bool const bits = io::field_or<bool>(how, "load_in_4bit", false, where) ||
                          io::field_or<bool>(how, "load_in_8bit", false, where);
        auto const unnamed = bits ? "bitsandbytes" : "unknown";
        return io::field_or<std::string>(how, "quant_method", unnamed, where);
    }
    return {};
}

PLATEAU_INLINE void require_plain(io::safetensors_checkpoint const& stored, std::string const& method,
                                  std::string const& where) {
    for (auto const& name : stored.names()) {
        auto const& type = stored.info(name).stored;
        if (!name.ends_with(".weight") || io::safetensors_dtype(type)) continue;
        throw config_error(where, ": the model is quantised (quant_method ", io::printable(method), "): the tensor ",
                           name, " is stored as ", type, ", the plain one is missing", detail::way_out(method, where));
    }
}

PLATEAU_INLINE std::string prepare(io::safetensors_checkpoint& stored, std::string const& method,
                                   std::string const& where) {
    std::string lines;
    auto const dropped = stored.drop_wrappers();
    if (!dropped.empty())
        lines += concat({where, ": a wrapper left ", dropped, " in the names of tensors; it is passed over\n"});
    if (method.empty()) {
        for (auto const& name : stored.names()) {
            if (!name.ends_with(".weight") || io::safetensors_dtype(stored.info(name).stored)) continue;
            auto const why = why_missing({}, stored.names(), where);
            if (!why.empty()) throw config_error(where, why);
        }
        return lines;
    }
    require_plain(stored, method, where);
    bool storage = false;
    for (auto const one : detail::storage_only) storage = storage || one == method;
    if (!storage) {
        throw config_error(where, ": \"quantization_config\" (quant_method ", io::printable(method),
                           ") may change what the layers compute, though all weights are plain numbers; take the key "
                           "out of config.json if the model is to be computed without it");
    }
    return concat({lines, where, ": \"quantization_config\" (quant_method ", io::printable(method),
                   ") is passed over, as all weights are stored as plain numbers\n"});
}

PLATEAU_INLINE std::string why_missing(std::string const& method, std::vector<std::string> const& names,
                                       std::string const& where) {
    if (!method.empty()) {
        return concat(
            {": the model is quantised (quant_method ", io::printable(method), ")", detail::way_out(method, where)});
    }
    for (auto const& there : names) {
        bool adapter = false;
        for (auto const part : detail::adapter_parts) adapter = adapter || there.find(part) != std::string::npos;
        if (adapter && there.starts_with("prompt_"))
            return concat({": there is ", there,
                           ", a prompt that PEFT learned for it, which is not read; give the model "
                           "that it was learned for"});
        if (adapter) {
            return io::command_for(
                concat({": a PEFT adapter was not merged into it: there is ", there,
                        "; load it by peft, call merge_and_unload() and save_pretrained('@-merged')"}),
                where);
        }
        for (auto const& one : detail::quantizations) {
            if (!there.ends_with(one.mark)) continue;
            return concat(
                {": the model is quantised (as by ", one.method, "): there is ", there, detail::way_out({}, where)});
        }
    }
    return {};
}

}  // namespace plateau::models
