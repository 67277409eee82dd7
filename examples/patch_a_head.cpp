// One attention head of a clean prompt's run, put into the run of a corrupted prompt: how far do its predictions move?
//
//     patch_a_head [MODEL]
//
// -> block 0: KL [0-9.e+-]+ [0-9.e+-]+
// -> most moved by head [0-9]+ of block [0-9]+

#include <cstdio>
#include <memory>

#include <plateau/hooks/patch_from.hpp>
#include <plateau/metrics/kl_divergence.hpp>
#include <plateau/plateau.hpp>

namespace hooks = plateau::hooks;

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    auto const clean = model.tokenize(" He looked at his watch"),
               corrupted = model.tokenize(" She looked at her house");

    auto const values = std::make_shared<hooks::recording<float>>();  // of the clean run
    model.run({clean}, hooks::record<float>("blocks.*.attn.hook_z", values));
    auto const last = [&](auto const& logits) { return logits[logits.extent(0) - 1].flat(); };
    auto const before = model.logits(corrupted);

    double most = -1;
    int at[2] = {};
    for (int layer = 0; layer < model.layers(); ++layer) {
        std::printf("block %d: KL", layer);
        auto const site = "blocks." + std::to_string(layer) + ".attn.hook_z";
        for (int head = 0; head < hooks::find_site(model.sites(), site).heads; ++head) {
            // each position of the head gets what stood at that position of the clean prompt
            auto const patch = hooks::patch_from<float>(
                site, values,
                [](auto const& row) {
                return hooks::recorded_at{0, row.position};
                },
                hooks::heads{head});
            auto const after = model.logits(corrupted, patch);
            double const kl = plateau::metrics::kl_of_logits<float>(last(before), last(after)).from_reference;
            std::printf(" %.2e", kl);
            if (kl > most) most = kl, at[0] = head, at[1] = layer;
        }
        std::printf("\n");
    }
    std::printf("most moved by head %d of block %d\n", at[0], at[1]);
}
