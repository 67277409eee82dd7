#include <plateau/models/logit_difference.hpp>

#include <map>

#include <plateau/models/forward.hpp>
#include <plateau/models/load.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;
namespace models = plateau::models;
using context = plateau::backend::cpu_context;

template <class T>
void check_differences(std::string const& name, plateau::dtype storage) {
    CAPTURE(name);
    auto const folder = golden::models_folder() / name;
    context const ctx{2};
    auto const model = models::load<T>(folder, ctx, storage);
    auto const prompts = golden::prompts(folder / "tokens.npy");
    std::map<index, double> expected, got;
    index const last = model.vocabulary() - 1;
    auto const logits = hooks::capture<T>(model.logit_cap > 0 ? "hook_logits" : "unembed.hook_out",
                                          hooks::serialised<T>([&](auto const&, hooks::where const& w, auto rows) {
                                              for (std::size_t r = 0; r < w.rows.size(); ++r) {
                                                  auto const row = rows[static_cast<index>(r)];
                                                  if (w.rows[r].last)
                                                      expected[w.rows[r].item] = static_cast<double>(row(0, last)) -
                                                                                 static_cast<double>(row(0, 1));
                                              }
                                          }));
    models::forward(ctx, model, prompts, logits);
    models::logit_difference<context, T> const difference{ctx, model, static_cast<plateau::token_id>(last), 1};
    std::mutex guard;
    models::forward(ctx, model, prompts, difference.reads([&](hooks::row_id const& row, double d) {
        std::lock_guard const lock{guard};
        got[row.item] = d;
    }));
    CHECK(got.size() == prompts.size());
    CHECK(got == expected);
}

TEST_CASE("logit differences have the bits of all logits", "[models][logit_difference]") {
    for (auto const* name : {"llama_gqa", "gpt2", "gemma2", "phi", "opt_options"}) {
        check_differences<float>(name, plateau::dtype::f32);
        check_differences<float>(name, plateau::dtype::bf16);
        check_differences<double>(name, plateau::dtype::f64);
    }
}

}  // namespace
