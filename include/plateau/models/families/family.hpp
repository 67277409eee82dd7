#pragma once
/// The description of a family: how its configuration reads, and what its tensors are called.

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <plateau/io/config/fields.hpp>

namespace plateau::models {

/// How the matrices of queries, keys and values are stored.
enum class qkv_layout : std::uint8_t {
    separate,  ///< a tensor each
    stacked,   ///< one tensor: all rows of q, then those of k, then those of v
    by_head,   ///< one tensor: for each head its rows of q, of k, of v
    conv1d,    ///< one tensor, transposed: the columns of q, of k, of v
};

/// The names of a family's tensors, as its checkpoints have them, without ".weight" and ".bias". Those of a block
/// follow `layers` and its number. An empty name is a part that the family does not have.
struct tensor_names {
    std::array<std::string_view, 2> prefixes{"model.", ""};  ///< of everything but the unembedding; the first that fits
    std::string_view embedding = "embed_tokens";
    std::string_view positions = "";
    std::string_view final_norm = "norm";
    std::array<std::string_view, 2> unembedding{"lm_head", ""};  ///< the first that is there
    std::string_view layers = "layers.";

    // norms: before and after the attention, before and after the MLP. Without one before the MLP a parallel MLP shares
    // that of the attention
    std::string_view norm1 = "input_layernorm";
    std::string_view norm1_post = "";
    std::string_view norm2 = "post_attention_layernorm";
    std::string_view norm2_post = "";

    qkv_layout layout = qkv_layout::separate;
    std::string_view qkv = "";  ///< unless separate
    std::string_view query = "self_attn.q_proj", key = "self_attn.k_proj", value = "self_attn.v_proj";
    std::string_view query_norm = "self_attn.q_norm", key_norm = "self_attn.k_norm";
    std::string_view output = "self_attn.o_proj";

    std::string_view gate_and_in = "";  ///< one tensor: all rows of gate, then those of in
    std::string_view gate = "mlp.gate_proj", in = "mlp.up_proj", out = "mlp.down_proj";

    bool conv1d = false;  ///< matrices of blocks are stored as [inputs, outputs]
    std::array<std::string_view, 2> ignored{"*rotary_emb.inv_freq", ""};  ///< patterns of tensors that carry nothing
};

/// A family. Another one is a header beside this one and a row in models/families.hpp.
struct family {
    std::string_view model_type;
    /// @throws config_error that names the key
    io::model_config (*parse)(io::json const& root, std::string const& where);
    tensor_names tensors;
};

/// What the headers of families are written in.
namespace families {

using namespace io;
using namespace io::config;

/// E of a model whose heads share out D.
inline index equal_heads(model_config const& config, std::string const& where) {
    if (config.heads >= 1 && config.d_model % config.heads == 0) return config.d_model / config.heads;
    throw config_error(where, ": the width ", config.d_model, " is not divisible by the number of heads, ",
                       config.heads);
}

/// The sizes that the classes of transformers 5.24 have by themselves: of a text_config a file holds only others.
struct class_sizes {
    std::string_view model_type;
    index vocab, width, layers, heads, kv_heads, mlp;  ///< kv_heads: 0 as heads
};

inline constexpr class_sizes sizes_of_classes[]{
    {"gemma", 256000, 3072, 28, 16, 16, 24576},    {"gemma2", 256000, 2304, 26, 8, 4, 9216},
    {"gemma3_text", 262208, 2304, 26, 8, 4, 9216}, {"granite", 32000, 4096, 32, 32, 0, 11008},
    {"llama", 32000, 4096, 32, 32, 0, 11008},      {"mistral", 32000, 4096, 32, 32, 8, 14336},
    {"olmo2", 50304, 4096, 32, 32, 0, 11008},      {"olmo3", 50304, 4096, 32, 32, 0, 11008},
    {"phi3", 32064, 3072, 32, 32, 0, 8192},        {"qwen2", 151936, 4096, 32, 32, 32, 22016},
    {"qwen3", 151936, 4096, 32, 32, 32, 22016},    {"smollm3", 128256, 2048, 36, 16, 4, 11008},
};

/// Those of a "text_config", by its model_type. @return null for a whole configuration, which must have its sizes
inline class_sizes const* find_class_sizes(json const& root, std::string const& where) {
    if (root.key() != "text_config") return nullptr;
    auto const type = field<std::string>(root, "model_type", where);
    for (auto const& one : sizes_of_classes) {
        if (one.model_type == type) return &one;
    }
    return nullptr;
}

/// A size under a key.
/// @param absent  what a text_config without the key means
inline index size_field(json const& root, std::string_view key, index class_sizes::*absent, std::string const& where) {
    auto const* const known = find_member(root, key) == nullptr ? find_class_sizes(root, where) : nullptr;
    return known != nullptr && known->*absent > 0 ? known->*absent : field<index>(root, key, where);
}

/// The sizes under the keys that most families have, with beginning and end of a text.
inline model_config parse_sizes(json const& root, std::string const& where, index default_context,
                                std::optional<token_id> bos, std::optional<token_id> eos) {
    refuse_general_options(root, where);
    model_config config;
    config.layers = size_field(root, "num_hidden_layers", &class_sizes::layers, where);
    config.d_model = size_field(root, "hidden_size", &class_sizes::width, where);
    config.heads = size_field(root, "num_attention_heads", &class_sizes::heads, where);
    config.kv_heads = field_or<index>(root, "num_key_value_heads", config.heads, where);
    if (find_member(root, "num_key_value_heads") == nullptr) {
        auto const* const known = find_class_sizes(root, where);
        if (known != nullptr && known->kv_heads > 0) config.kv_heads = known->kv_heads;
    }
    auto const width = optional_field<index>(root, "head_dim", where);
    config.d_head = width ? *width : equal_heads(config, where);
    config.vocab = size_field(root, "vocab_size", &class_sizes::vocab, where);
    config.context = field_or<index>(root, "max_position_embeddings", default_context, where);
    config.init_scale = field_or<double>(root, "initializer_range", 0.02, where);
    config.bos = parse_token_ids(root, "bos_token_id", bos, where);
    config.eos = parse_token_ids(root, "eos_token_id", eos, where);
    return config;
}

/// A width that is 4 D if its key is null or absent.
inline index parse_inner_width(json const& root, std::string_view key, model_config const& config,
                               std::string const& where) {
    if (auto const inner = optional_field<index>(root, key, where)) return *inner;
    if (config.d_model > std::numeric_limits<index>::max() / 4)
        throw config_error(where, ": a width of ", config.d_model, " is absurd");
    return 4 * config.d_model;
}

}  // namespace families

}  // namespace plateau::models
