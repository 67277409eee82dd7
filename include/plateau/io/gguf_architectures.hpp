#pragma once
/// The architectures of GGUF files: what llama.cpp calls a family and its tensors, and how its converter lays them out.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <plateau/core/macros.hpp>
#include <plateau/core/variants.hpp>
#include <plateau/io/config/schema.hpp>

namespace plateau::io {

/// Which rows of which tensors the converter moves.
enum class gguf_rows : std::uint8_t {
    kept,
    rotary_pairs,             ///< of attn_q and attn_k, weights and biases: the two of a rotated pair are neighbours
    rotary_pairs_of_weights,  ///< the same, but biases stay (OLMo: llama.cpp's converter moves its weights alone)
    stacked,                  ///< of attn_qkv: all of q, of k, of v, instead of a head's q, k and v behind each other
    transposed,               ///< the matrices of blocks are [outputs, inputs], Conv1D has [inputs, outputs]
};

/// An architecture: a row of the table. What is not said here, the file says.
struct gguf_architecture {
    std::string_view name;                      ///< "general.architecture", the prefix of the other keys too
    std::string_view model_type;                ///< the family as Hugging Face names it
    std::string_view blocks = "model.layers.";  ///< before the number of a block, in Hugging Face's names
    /// Names of tensors where they are not those of Llama: " attn_output=self_attn.dense … ", without ".weight",
    /// ".bias" and the numbers of blocks, each between spaces
    std::string_view names = "";
    gguf_rows rows = gguf_rows::kept;

    norm_kind norm = norm_kind::rms;
    bool norm_weights = true;
    activation act = activation::silu;
    bool gated = true;
    bool parallel = false;           ///< always; of a file that may have either, the key says it
    bool learned_positions = false;  ///< instead of rotary ones
    bool partial_rotary = false;     ///< "rope.dimension_count" may be less than a head
    bool scaled_embedding = false;   ///< by sqrt(D)
    bool assumed_sizes = false;      ///< the converter writes F = 4 D and K = H whatever the tensors have
    qk_norm_kind qk_norm = qk_norm_kind::none;
    std::uint8_t scores_by_width = 0;  ///< layers of the published model whose scores are scaled by D/H, not by E

    std::uint8_t unwindowed_every = 0;    ///< each such layer has no window; 0: all have it
    std::uint8_t unrotated_every = 0;     ///< each such layer has no rotary positions
    int window = 0;                       ///< that of a file without the key
    int local_theta = 0;                  ///< base of layers with a window that have their own; -1: as the others
    std::string_view windowed_type = "";  ///< the family of a file with an attention window, if it may have one
    std::string_view options = "";        ///< keys that it has beside those of all, each between spaces
};

/// All that are supported.
std::span<gguf_architecture const> known_gguf_architectures();

/// "blk.3.attn_q.weight" to "model.layers.3.self_attn.q_proj.weight"; names without a counterpart as they are.
std::string hugging_face_name(gguf_architecture const& architecture, std::string_view stored);

}  // namespace plateau::io

#if !PLATEAU_COMPILED
#include <plateau/io/impl/gguf_architectures.ipp>
#endif
