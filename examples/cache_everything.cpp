// Every activation of a prompt, under TransformerLens' names and in its shapes.
//
//     cache_everything [MODEL]
//
// -> blocks.0.attn.hook_pattern: 1 4 10 10
// -> position 3 of head 0 looks at: 0\.[0-9]+ 0\.[0-9]+ 0\.[0-9]+ 0\.[0-9]+

#include <cstdio>

#include <plateau/plateau.hpp>

int main(int argc, char** argv) {
    auto const model = plateau::load<float>(argc > 1 ? argv[1] : "examples/data/embedded");

    // a second argument takes names or patterns of them: {"*.attn.hook_pattern"}
    auto const [logits, cache] = model.run_with_cache(model.tokenize(" The house at the end of the street"));
    for (auto const& array : cache) {
        std::printf("%s:", array->at().name().c_str());
        for (auto const extent : array->shape()) std::printf(" %d", static_cast<int>(extent));
        std::printf("\n");
    }

    plateau::tensor::view<float const, 4> const pattern = cache["blocks.0.attn.hook_pattern"];  // [1, H, T, T]
    std::printf("position 3 of head 0 looks at:");
    for (int key = 0; key <= 3; ++key) std::printf(" %.3f", pattern(0, 0, 3, key));
    std::printf("\nlogits: [%lld, %lld]\n", static_cast<long long>(logits.extent(0)),
                static_cast<long long>(logits.extent(1)));
}
