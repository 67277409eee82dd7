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

/// The sizes under the keys that most families have, with beginning and end of a text.
inline model_config parse_sizes(json const& root, std::string const& where, index default_context,
                                std::optional<token_id> bos, std::optional<token_id> eos) {
    refuse_general_options(root, where);
    model_config config;
    config.layers = field<index>(root, "num_hidden_layers", where);
    config.d_model = field<index>(root, "hidden_size", where);
    config.heads = field<index>(root, "num_attention_heads", where);
    config.kv_heads = field_or<index>(root, "num_key_value_heads", config.heads, where);
    auto const width = optional_field<index>(root, "head_dim", where);
    config.d_head = width ? *width : equal_heads(config, where);
    config.vocab = field<index>(root, "vocab_size", where);
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
