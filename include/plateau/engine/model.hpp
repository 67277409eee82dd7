#pragma once
/// A model with all that it needs to compute: what experiments and programs see of the library.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/engine/engine_on.hpp>
#include <plateau/engine/forward.hpp>
#include <plateau/hooks/activation_cache.hpp>
#include <plateau/models/model_texts.hpp>

namespace plateau {

/// Where a derivative begins and ends, both at a prompt's last position, and what it takes for constant.
struct derivative_of {
    std::string write = "blocks.0.hook_resid_post";
    std::string read = "ln_final.hook_out";
    std::vector<std::string> constant = {};  ///< parts, as hooks::constant_sites names them
};

/// A decoder, the backend that computes it and the texts that came along: cheap to copy, safe to call from several
/// threads.
template <class T>
class model : public models::model_texts {
public:
    using value_type = T;

    /// Any `models::Transformer`, say one over a block of your own, on a backend of your own.
    template <class Context, models::Transformer<Context, T> M>
    model(std::shared_ptr<Context const> ctx, M transformer, models::model_texts texts = {})
        : models::model_texts{std::move(texts)}, computer_{backend::computer_of(*ctx)},
          engine_{new engine::engine_on<Context, T, M>{std::move(ctx), std::move(transformer)}} {}
    template <models::Transformer<backend::cpu_context, T> M>
    model(backend::cpu_context const& ctx, M transformer, models::model_texts texts = {})
        : model{shared<backend::cpu_context const>(ctx), std::move(transformer), std::move(texts)} {}

    /// Of an engine that is there already.
    model(std::shared_ptr<engine::engine<T> const> engine, backend::computer computer, models::model_texts texts)
        : models::model_texts{std::move(texts)}, computer_{std::move(computer)}, engine_{std::move(engine)} {}

    engine::engine<T> const& engine() const { return *engine_; }
    /// Who computes.
    backend::computer const& computer() const { return computer_; }

    std::vector<hooks::site> const& sites() const { return engine_->sites(); }
    int layers() const { return engine_->layers(); }
    index width() const { return engine_->width(); }
    index vocabulary() const { return engine_->facts().vocabulary; }
    index context_length() const { return engine_->facts().context_length; }
    int threads() const { return engine_->threads(); }

    /// Full forward passes with hooks. @see engine::forward
    void run(prompt_list const& prompts, hooks::hook_set<T> const& set) const {
        engine::forward(*engine_, prompts, set);
    }

    /// Logits of every position of one prompt, [T, V], with hooks at work. @throws as engine::forward
    tensor::buffer<T, 2> logits(std::vector<token_id> const& prompt, hooks::hook_set<T> const& set = {}) const {
        tensor::buffer<T, 2> all({static_cast<index>(prompt.size()), vocabulary()});
        auto const read = hooks::capture<T>(logits_site(), [&](hooks::rows_at<T>& here) {
            auto const rows = here.read();
            for (index r = 0; r < here.count(); ++r) {
                auto const position = here.rows[static_cast<std::size_t>(r)].position;
                std::copy_n(rows[r].data(), vocabulary(), all[position].data());
            }
        });
        run({prompt}, set | read);
        return all;
    }

    struct run_and_cache {
        tensor::buffer<T, 2> logits;  ///< [T, V]
        hooks::activation_cache<T> cache;
    };
    /// Logits and activations of a prompt: cache["blocks.0.attn.hook_pattern"] is [1, H, T, T], in
    /// TransformerLens' shapes.
    /// @param patterns  of site names; "*" is every site but those that have to be named
    /// @throws site_error on a pattern that names no site; as engine::forward
    run_and_cache run_with_cache(std::vector<token_id> const& prompt, std::vector<std::string> const& patterns = {"*"},
                                 hooks::hook_set<T> const& set = {}) const {
        hooks::activation_cache<T> cache{hooks::selected_sites(sites(), patterns), {static_cast<index>(prompt.size())}};
        auto logits = this->logits(prompt, set | cache.fills());
        return {std::move(logits), std::move(cache)};
    }

    /// J u for every row u of `directions`, J = d(read)/d(write) in the prompt's own run, [k, W]; k tangents cost about
    /// as much as k rows. Defined in engine/derivatives.hpp.
    /// @param directions  [k, width of the write site]      @throws shape_error, site_error; as carry_tangents
    tensor::buffer<T, 2> jvp(std::vector<token_id> const& prompt, tensor::view<T const, 2> directions,
                             derivative_of const& what = {}) const;
    /// Jᵀv for every row v of `cotangents`, [k, D]. Defined in engine/derivatives.hpp.
    /// @param cotangents  [k, W]      @throws as jvp
    tensor::buffer<T, 2> vjp(std::vector<token_id> const& prompt, tensor::view<T const, 2> cotangents,
                             derivative_of const& what = {}) const;
    /// J itself, [W, D]. Defined in engine/derivatives.hpp.
    tensor::buffer<T, 2> jacobian(std::vector<token_id> const& prompt, derivative_of const& what = {}) const;

private:
    std::string logits_site() const { return sites().back().name(); }

    backend::computer computer_;
    std::shared_ptr<engine::engine<T> const> engine_;
};

}  // namespace plateau
