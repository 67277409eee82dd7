#pragma once
/// Assembles a transformer from a configuration, the names of a family's tensors and their values.

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <plateau/core/function_ref.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/models/families.hpp>
#include <plateau/models/memory_plan.hpp>
#include <plateau/models/rotary.hpp>
#include <plateau/models/transformer.hpp>
#include <plateau/models/weight_loader.hpp>

namespace plateau::models {

/// What the attention of a block does beside its matrices.
template <class T>
PLATEAU_INLINE backend::attention_shape<T> make_attention_shape(io::model_config const& config, index layer) {
    double scale = config.score_scale.value_or(1 / std::sqrt(static_cast<double>(config.d_head)));
    if (config.scale_by_inverse_layer) scale /= static_cast<double>(layer + 1);
    backend::attention_shape<T> shape{config.heads, config.kv_heads, config.d_head, static_cast<T>(scale)};
    shape.cap = static_cast<T>(config.score_cap);
    if (!config.windows.empty()) shape.window = config.windows[static_cast<std::size_t>(layer)];
    return shape;
}

/// Asks a loader for the parts of one model.
template <class Context, class T>
class assembler {
public:
    using loader = weight_loader<Context, T>;
    using weight = typename Context::template weight<T>;
    using norm = nn::norm<Context, T>;

    assembler(Context const& ctx, io::model_config const& config, tensor_names const& names, loader& load)
        : ctx_{ctx}, c_{config}, names_{names}, load_{load} {}

    /// @throws file_error on missing, misshaped or unknown tensors
    PLATEAU_INLINE transformer<Context, T> run() {
        load_.requests.quantization = c_.quantization;
        load_.requests.find_prefix(concat({names_.layers, "0.", names_.output, ".weight"}), names_.prefixes);
        transformer<Context, T> model;
        model.context_length = c_.most_positions();
        take_embeddings(model);
        if (c_.final_norm) model.final_norm = *make_norm("", names_.final_norm, c_.d_model);
        auto const rotary = make_rope(c_.rope, c_.d_head), local = make_rope(c_.local_rope, c_.d_head);
        model.blocks = std::vector<standard_block<Context, T>>(static_cast<std::size_t>(c_.layers));
        for (index layer = 0; layer < c_.layers; ++layer) {
            auto& block = model.blocks[static_cast<std::size_t>(layer)];
            load_.begin_unit(static_cast<int>(layer));
            std::string const at = concat({names_.layers, layer, "."});
            block.order = c_.parallel ? nn::order::parallel : nn::order::sequential;
            block.attention.before = make_norm(at, names_.norm1, c_.d_model);
            block.attention.after = make_norm(at, names_.norm1_post, c_.d_model);
            if (!c_.shared_norm) block.mlp.before = make_norm(at, names_.norm2, c_.d_model);
            block.mlp.after = make_norm(at, names_.norm2_post, c_.d_model);
            block.attention.part.shape = make_attention_shape<T>(c_, layer);
            block.attention.multiplier = block.mlp.multiplier = c_.residual_scale;
            bool const windowed = block.attention.part.shape.window > 0;
            bool const rotates = std::find(c_.unrotated.begin(), c_.unrotated.end(), layer) == c_.unrotated.end();
            if (rotates) block.attention.part.rotary = windowed && local ? local : rotary;
            block.attention.part.clip = static_cast<T>(c_.clip_qkv);
            take_attention(block.attention.part, at);
            take_mlp(block.mlp.part, at);
        }
        for (auto const pattern : names_.ignored) load_.requests.ignore(std::string{pattern});
        if (tied_) {
            for (auto const name : names_.unembedding)
                load_.requests.ignore(load_.requests.top_level(concat({name, ".weight"})));
        }
        load_.requests.ignore_other_parts(c_, names_.unembedding[0]);
        load_.requests.require_all_used();
        return model;
    }

private:
    /// Null without a name.
    PLATEAU_INLINE std::optional<norm> make_norm(std::string const& at, std::string_view name, index width) {
        if (name.empty()) return std::nullopt;
        norm result{c_.norm, c_.norm_eps};
        if (!c_.norm_weights) return result;
        auto values = load_.values(concat({at, name, ".weight"}), width);
        for (T& value : values.flat()) value += static_cast<T>(c_.norm_offset);
        result.weight = backend::owned_by(ctx_, std::move(values));
        if (c_.norm == norm_kind::layer)
            result.bias = backend::owned_by(ctx_, load_.values(concat({at, name, ".bias"}), width));
        return result;
    }

    /// Each head's with a weight of its own. @param name  of their tensors, up to the number of the head
    PLATEAU_INLINE norm norm_of_heads(std::string const& name, index heads) {
        tensor::buffer<T, 1> all({heads * c_.d_head});
        for (index head = 0; head < heads; ++head) {
            auto const own = load_.values(concat({name, head, ".weight"}), c_.d_head);
            std::copy_n(own.data(), c_.d_head, all.data() + head * c_.d_head);
        }
        norm result{c_.norm, c_.norm_eps};
        result.weight = backend::owned_by(ctx_, std::move(all));
        return result;
    }

    PLATEAU_INLINE void take_embeddings(transformer<Context, T>& model) {
        auto const share = [](weight w) { return shared<weight const>(std::move(w)); };
        std::string_view head = names_.unembedding[0];
        if (!names_.unembedding[1].empty() && !load_.contains_top_level(concat({head, ".weight"})))
            head = names_.unembedding[1];
        std::string const embedding = concat({names_.embedding, ".weight"}), unembedding = concat({head, ".weight"});
        auto const take_head = [&] { return share(load_.top_level_matrix(unembedding, c_.vocab, c_.d_model)); };
        // a published file may hold the shared matrix under its other name alone
        bool const other_name = c_.tied_head && !load_.contains(embedding);
        if (tied_ && !other_name)
            tied_ = is_tied(load_.requests.in_prefix(embedding), load_.requests.top_level(unembedding));
        auto const unit = static_cast<int>(c_.layers);  // @see transformer::unembedding_unit
        load_.begin_unit(tied_ ? unit : unit + 1);
        model.embedding = other_name ? take_head() : share(load_.matrix(embedding, c_.vocab, c_.d_model));
        if (c_.learned_positions) {
            model.positions =
                share(load_.matrix(concat({names_.positions, ".weight"}), c_.context + c_.position_offset, c_.d_model));
        }
        if (!tied_) load_.begin_unit(unit);
        model.unembedding = tied_ ? model.embedding : take_head();
        if (c_.head_bias)
            model.unembedding_bias = backend::owned_by(ctx_, load_.top_level_values(concat({head, ".bias"}), c_.vocab));
        model.position_offset = c_.position_offset;
        model.embedding_scale = static_cast<T>(c_.embedding_scale);
        model.logit_scale = static_cast<T>(c_.logit_scale);
        model.logit_cap = static_cast<T>(c_.logit_cap);
    }

    /// As transformers 5: a head that is stored beside the embedding and differs from it is the head.
    PLATEAU_INLINE bool is_tied(std::string const& embedding, std::string const& head) {
        auto& requests = load_.requests;
        if (!requests.lists(head) || requests.source().same_values(embedding, head)) return true;
        requests.note_head(head);
        return false;
    }

    PLATEAU_INLINE void take_attention(nn::attention<Context, T>& to, std::string const& at) {
        index const d = c_.d_model, e = c_.d_head, q = c_.heads * e, kv = c_.kv_heads * e, all = q + 2 * kv;
        std::string const together = concat({at, names_.qkv});
        auto const part = [&](index outputs, index first, index run, index stride) {
            return load_.linear(together, outputs, d, c_.qkv_bias, {first, run, stride, all});
        };
        switch (names_.layout) {
            case qkv_layout::separate:
                to.query = load_.linear(concat({at, names_.query}), q, d, c_.qkv_bias);
                to.key = load_.linear(concat({at, names_.key}), kv, d, c_.qkv_bias);
                to.value = load_.linear(concat({at, names_.value}), kv, d, c_.qkv_bias);
                break;
            case qkv_layout::stacked:
                to.query = part(q, 0, q, q);
                to.key = part(kv, q, kv, kv);
                to.value = part(kv, q + kv, kv, kv);
                break;
            case qkv_layout::by_head:
                to.query = part(q, 0, e, 3 * e);
                to.key = part(kv, e, e, 3 * e);
                to.value = part(kv, 2 * e, e, 3 * e);
                break;
            case qkv_layout::conv1d: load_.conv1d(together, d, {{&to.query, q}, {&to.key, kv}, {&to.value, kv}}); break;
        }
        take_linear(to.output, concat({at, names_.output}), d, q, c_.out_bias);
        if (c_.qk_norm == io::qk_norm_kind::none) return;
        bool const whole = c_.qk_norm == io::qk_norm_kind::whole;
        to.norms_by_head = !whole;
        if (c_.qk_norm == io::qk_norm_kind::own_head) {
            to.query_norm = norm_of_heads(concat({at, names_.query_norm}), c_.heads);
            to.key_norm = norm_of_heads(concat({at, names_.key_norm}), c_.kv_heads);
            return;
        }
        to.query_norm = make_norm(at, names_.query_norm, whole ? q : e);
        to.key_norm = make_norm(at, names_.key_norm, whole ? kv : e);
    }

    PLATEAU_INLINE void take_mlp(nn::mlp<Context, T>& to, std::string const& at) {
        index const d = c_.d_model, f = c_.d_mlp;
        to.act = c_.act;
        to.gated = c_.gated_mlp;
        if (names_.gate_and_in.empty()) {
            if (to.gated) take_linear(to.gate, concat({at, names_.gate}), f, d, c_.mlp_bias);
            take_linear(to.in, concat({at, names_.in}), f, d, c_.mlp_bias);
        } else {
            std::string const together = concat({at, names_.gate_and_in});
            to.gate = load_.linear(together, f, d, c_.mlp_bias, {0, f, f, 2 * f});
            to.in = load_.linear(together, f, d, c_.mlp_bias, {f, f, f, 2 * f});
        }
        take_linear(to.out, concat({at, names_.out}), d, f, c_.mlp_bias);
    }

    PLATEAU_INLINE void take_linear(nn::linear<Context, T>& to, std::string const& name, index outputs, index inputs,
                                    bool bias) {
        if (names_.conv1d) load_.conv1d(name, inputs, {{&to, outputs}});
        else to = load_.linear(name, outputs, inputs, bias);
    }

    Context const& ctx_;
    io::model_config const& c_;
    tensor_names const& names_;
    loader& load_;
    bool tied_ = c_.tied_head;
};

/// Memory that a model may have, and the source of its weights, kept where these are read again and again.
struct memory_use {
    memory_limit limit = {};
    std::shared_ptr<void const> source = {};
};

/// Bytes and rows that say how a model's layers have to take turns.
template <class Context, class T>
memory_needs needs_of(Context const& ctx, transformer<Context, T> const& model, std::vector<index> units) {
    memory_needs needs;
    needs.units = std::move(units);
    needs.block_rows = ctx.block_rows();
    needs.threads = ctx.threads();
    index widths = 0, widest = 0;
    model.each_work_matrix(false, [&](nn::work_buffer const&, index width) {
        widths += width;
        widest = std::max(widest, width);
    });
    needs.row_bytes = (widths + 2 * widest) * index{sizeof(T)};  // and what operations need meanwhile
    return needs;
}

/// The weights of `source` as a transformer.
/// @param storage  bf16 keeps matrices in bfloat16 (T = float)
/// @param meanwhile   something else to do meanwhile, on one of the threads
/// @param notices  lines on what was passed over or chosen are added to it, unless it is null
/// @param memory   where it is not enough for all weights at once, layers take turns
/// @throws config_error on a family without a row, file_error on weights that do not fit, memory_error
template <class Context, class T>
PLATEAU_INLINE transformer<Context, T> assemble(
    Context const& ctx, io::model_config const& config, tensor_source<T> const& source, dtype storage = dtype_of<T>,
    function_ref<void()> meanwhile = [] {}, std::string* notices = nullptr, memory_use const& memory = {}) {
    auto const& names = find_family(config.model_type, source.where()).tensors;
    weight_loader<Context, T> loader{ctx, source, storage};
    auto model = assembler<Context, T>{ctx, config, names, loader}.run();
    if (notices != nullptr) *notices += loader.requests.notices;
    if (auto const* const how = memory.limit.how) {
        auto const needs = needs_of(ctx, model, loader.unit_bytes());
        if (how->plan(memory.limit, needs, loader.can_take_turns).in_turns) {
            meanwhile();
            auto const plan = how->plan(memory.limit, needs, true);  // beside what that has taken
            if (notices != nullptr) *notices += plan.text;
            model.turns = how->begin(loader.in_turns(ctx.threads(), memory.source), needs.units, plan.limits);
            return model;
        }
    }
    if (memory.limit.sharing != nullptr && loader.can_take_turns) {
        meanwhile();
        memory.limit.sharing->share(loader.memory(), [&] { loader.fill(ctx.threads(), [] {}); });
        return model;
    }
    loader.fill(ctx.threads(), meanwhile);
    return model;
}

}  // namespace plateau::models
