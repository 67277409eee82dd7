#include <plateau/engine/read/logit_difference.hpp>

#include <map>
#include <mutex>

#include <plateau/engine/forward.hpp>

#include "support/catch.hpp"
#include "support/threaded_model.hpp"

namespace {

using plateau::index;
namespace engine = plateau::engine;
namespace hooks = plateau::hooks;

template <class T>
void check_differences(std::string const& name, bool bf16 = false) {
    CAPTURE(name);
    auto const model = plateau::testing::golden_model<T>(name, {.bf16 = bf16})(2);
    auto const prompts = golden::prompts(golden::models_folder() / name / "tokens.npy");
    std::map<index, double> expected, got;
    index const last = model.vocabulary() - 1;
    auto const logits = hooks::capture<T>(model.engine().facts().logit_cap > 0 ? "hook_logits" : "unembed.hook_out",
                                          hooks::serialised<T>([&](auto const&, hooks::where const& w, auto rows) {
                                              for (std::size_t r = 0; r < w.rows.size(); ++r) {
                                                  auto const row = rows[static_cast<index>(r)];
                                                  if (w.rows[r].last)
                                                      expected[w.rows[r].item] = static_cast<double>(row(0, last)) -
                                                                                 static_cast<double>(row(0, 1));
                                              }
                                          }));
    engine::forward(model.engine(), prompts, logits);
    engine::logit_difference<T> const difference{model.engine(), static_cast<plateau::token_id>(last), 1};
    std::mutex guard;
    engine::forward(model.engine(), prompts, difference.reads([&](hooks::row_id const& row, double d) {
        std::lock_guard const lock{guard};
        got[row.item] = d;
    }));
    CHECK(got.size() == prompts.size());
    CHECK(got == expected);
}

TEST_CASE("logit differences have the bits of all logits", "[engine][logit_difference]") {
    for (auto const* name : {"llama_gqa", "gpt2", "gemma2", "phi", "opt_options"}) {
        check_differences<float>(name);
        check_differences<float>(name, true);
        check_differences<double>(name);
    }
}

}  // namespace
