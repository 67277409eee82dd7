// Text that a model writes with a vector added to its residual stream: the difference of two prompts' activations.
//
//     steer [MODEL]
//
// -> as it is: .+
// -> steered: .+

#include <cstdio>

#include <plateau/engine/generate.hpp>
#include <plateau/hooks/steer.hpp>
#include <plateau/plateau.hpp>
#include <plateau/sweep/activations.hpp>

namespace hooks = plateau::hooks;

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");
    std::string const site = "blocks." + std::to_string(model.layers() / 2) + ".hook_resid_post";

    // from an activation at the end of the one prompt to that of the other
    auto const ends = plateau::sweep::last_activations(
        model, {model.tokenize(" It was a dark and cold night"), model.tokenize(" It was a bright and warm day")},
        site);
    std::vector<float> direction;
    for (plateau::index i = 0; i < ends.extent(1); ++i) direction.push_back((ends(1, i) - ends(0, i)) / 2);

    auto const prompt = model.tokenize(" The old man went to the window and");
    auto const write = [&](char const* how, hooks::hook_set<float> const& set) {
        auto const texts = plateau::engine::generate(model.engine(), {prompt}, {.max_new_tokens = 16}, set);
        std::printf("%s:%s\n", how, model.require_tokenizer().decode(texts[0].tokens).c_str());
    };
    write("as it is", {});
    write("steered", hooks::add<float>(site, direction, hooks::positions::last()));
}
