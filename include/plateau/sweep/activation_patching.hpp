#pragma once
/// Activation patching: which activations of one prompt make a run of another predict what the first does.

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/engine/model.hpp>
#include <plateau/engine/patched_rows.hpp>
#include <plateau/engine/read/logit_difference.hpp>
#include <plateau/hooks/recording.hpp>

namespace plateau::sweep {

/// The effects of all patches. With δ = logit(answer) − logit(wrong) at the last position, in nats,
///     effect = (δ_patched − δ_corrupted) / (δ_clean − δ_corrupted):
/// 0 where the patch does nothing, 1 where it brings all of the clean run's δ back. No unit.
struct patching_effects {
    double clean = 0;                     ///< δ of the clean prompt's own run
    double corrupted = 0;                 ///< δ of the corrupted prompt's own run
    tensor::buffer<double, 2> resid_pre;  ///< [L, T]: blocks.l.hook_resid_pre at one position
    tensor::buffer<double, 2> attn_out;   ///< [L, T]: blocks.l.hook_attn_out at one position
    tensor::buffer<double, 2> mlp_out;    ///< [L, T]: blocks.l.hook_mlp_out at one position
    tensor::buffer<double, 2> head_z;     ///< [L, H]: one head of blocks.l.attn.hook_z at all positions
};

struct activation_patching_options {
    token_id answer;  ///< what the clean prompt makes likely
    token_id wrong;   ///< what the corrupted prompt makes likely
    std::function<void(index)> progress =
        {};  ///< told of patches that are done: 3 L T + L H in all; called concurrently
};

namespace detail {

/// One patch of a layer, and where its effect goes.
struct activation_patch {
    hooks::site_id site;
    index position;  ///< that is patched; the first of them if a head is
    index head;      ///< −1 for all of the site
    double* effect;

    bool selects(hooks::site const& at, hooks::row_id const& row, index of_head) const {
        return site == at.id && (head < 0 ? row.position == position : of_head == head);
    }
};

}  // namespace detail

/// Patches every single activation of the clean prompt's run into the run of the corrupted prompt: the conventions of
/// TransformerLens' `get_act_patch_resid_pre`, `_attn_out`, `_mlp_out` and `_attn_head_out_all_pos`.
///
/// All patches of a layer are rows of one sweep that begins there: they share the corrupted prompt's earlier layers,
/// and the positions before the patched one. Where the prompts have not yet differed their activations have the same
/// bits: such patches are known to do nothing, and do not run. A patch has the bits of a full forward pass with that
/// hook.
/// @param clean,corrupted  [T] each
/// @throws usage_error on prompts of different lengths or answers that are not two tokens; numeric_error if δ_clean =
/// δ_corrupted
/// @see Meng et al. 2022 (ROME); Wang et al. 2022 (IOI) for the normalised logit difference
template <class T>
patching_effects patch_activations(model<T> const& model, std::vector<token_id> const& clean,
                                   std::vector<token_id> const& corrupted, activation_patching_options const& options) {
    using hooks::site_id;
    if (clean.size() != corrupted.size()) {
        throw usage_error("the clean prompt has ", clean.size(), " tokens, the corrupted one ", corrupted.size(),
                          ": patching needs prompts of one length; reword one");
    }
    prompt_list const prompts{clean, corrupted};
    engine::logit_difference<T> const difference{model.engine(), options.answer, options.wrong};
    auto const values = std::make_shared<hooks::recording<T>>();
    std::array<double, 2> ends{};
    model.run(prompts, hooks::record<T>("blocks.*.hook_attn_out", values) |
                           hooks::record<T>("blocks.*.hook_mlp_out", values) |
                           hooks::record<T>("blocks.*.attn.hook_z", values) |
                           difference.reads([&](hooks::row_id const& row, double d) {
                               ends[static_cast<std::size_t>(row.item)] = d;
                           }));
    auto const length = static_cast<index>(clean.size()), layers = static_cast<index>(model.layers());
    index const heads = hooks::find_site(model.sites(), "blocks.0.attn.hook_z").heads;
    auto const matrix = [&](index columns) { return tensor::buffer<double, 2>({layers, columns}); };
    patching_effects result{ends[0], ends[1], matrix(length), matrix(length), matrix(length), matrix(heads)};
    double const range = result.clean - result.corrupted;
    if (range == 0) {
        throw numeric_error(
            "both prompts have the same logit difference of answer and wrong answer, so that no patch can have an "
            "effect on it: choose prompts or answers that differ in it");
    }
    auto const first =
        static_cast<index>(std::mismatch(clean.begin(), clean.end(), corrupted.begin()).first - clean.begin());

    for (index layer = 0; layer < layers; ++layer) {
        std::vector<detail::activation_patch> patches;
        std::vector<engine::prompt_pair> pairs;
        auto const add = [&](detail::activation_patch const& one, hooks::positions at) {
            patches.push_back(one);
            pairs.push_back({1, 0, 1, engine::write_positions{at}});
        };
        for (index t = first; t < length; ++t) {
            auto const at = hooks::positions::one(t);
            add({site_id::resid_pre, t, -1, &result.resid_pre(layer, t)}, at);
            add({site_id::attn_out, t, -1, &result.attn_out(layer, t)}, at);
            add({site_id::mlp_out, t, -1, &result.mlp_out(layer, t)}, at);
        }
        for (index h = 0; h < heads; ++h) add({site_id::z, first, h, &result.head_z(layer, h)}, {first, 0});

        auto const name = [&](char const* site) { return concat({"blocks.", layer, ".", site}); };
        auto const patch_of = [&](index pair) -> auto const& { return patches[static_cast<std::size_t>(pair)]; };
        auto const patched = [&](char const* site) {
            return hooks::change<T>(
                name(site), {},
                [&](std::span<T> x, hooks::site const& at, hooks::row_id const& row, index head) {
                if (!patch_of(row.item).selects(at, row, head)) return;
                auto const part =
                    values->at(at, 0, row.position).subspan(static_cast<std::size_t>(head) * x.size(), x.size());
                std::copy(part.begin(), part.end(), x.begin());
                },
                hooks::depends_on::row);
        };
        auto const reads = difference.reads([&](hooks::row_id const& row, double d) {
            *patch_of(row.item).effect = (d - result.corrupted) / range + 0.0;  // no −0
        });
        engine::point_writer<T> const write = [&](index pair, index, tensor::view<T const, 2> own,
                                                  tensor::view<T const, 2> other, tensor::view<T, 2> out) {
            auto const from = patch_of(pair).site == site_id::resid_pre ? other : own;
            for (index j = 0; j < out.extent(0); ++j) std::copy_n(from[j].data(), from.extent(1), out[j].data());
        };
        engine::setup const setup{.write = name("hook_resid_pre"), .progress = options.progress};
        engine::patched_rows<T>{model.engine(), prompts, 1, setup}.run(
            pairs, write, patched("hook_attn_out") | patched("hook_mlp_out") | patched("attn.hook_z") | reads);
        if (options.progress && first > 0) options.progress(3 * first);
    }
    return result;
}

PLATEAU_COMPILED_FUNCTION(patch_activations);

}  // namespace plateau::sweep
