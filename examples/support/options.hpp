#pragma once
/// Options that all programs take.

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <plateau/core/types.hpp>

namespace baked {
extern char const* const data;  ///< the folder examples/data; the build says where
}

namespace program {

using plateau::index;

/// Options that every program takes.
struct common_options {
    std::string model;
    std::string weights = "stored";
    std::string dtype = "fp32";
    std::string backend = "cpu";
    std::string products = "fp32";
    int threads = 0;
    bool pin = false;
    std::uint64_t seed = 0;
    std::string out;
    std::string tokens, prompts, corpus;
    index count = 100, length = 10;
    std::optional<std::string> bos;
};

/// The embedded model's folder: baked in at build; PLATEAU_DATA overrides it, as the folder that holds `embedded`, or
/// as the model's folder itself.
inline std::string embedded_model() {
    char const* const elsewhere = std::getenv("PLATEAU_DATA");
    bool const given = elsewhere != nullptr && *elsewhere != '\0';
    std::filesystem::path const data = given ? elsewhere : baked::data;
    std::error_code ignored;
    return (std::filesystem::exists(data / "config.json", ignored) ? data : data / "embedded").string();
}

inline void add_model_options(CLI::App& app, common_options& o) {
    app.set_version_flag("--version", PLATEAU_VERSION);
    o.model = embedded_model();
    app.add_option("--model", o.model, "a Hugging Face folder, a snapshot folder of its cache, or a GGUF file")
        ->capture_default_str();
    app.add_option(
           "--weights", o.weights,
           "baselines for what training has made: random, drawn as the family starts its training (config.json is "
           "enough, no weights are read); shuffled, the elements of every stored tensor in random order; both "
           "with --seed")
        ->check(CLI::IsMember({"stored", "random", "shuffled"}))
        ->capture_default_str();
    app.add_option("--dtype", o.dtype, "bf16: weights and inputs of matrix products in bfloat16, the rest in fp32")
        ->check(CLI::IsMember({"fp32", "fp64", "bf16"}))
        ->capture_default_str();
    app.add_option("--backend", o.backend, "who computes; auto takes the best there is")
        ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
        ->capture_default_str();
    app.add_option("--float-products", o.products,
                   "how a CUDA device multiplies matrices of --dtype fp32; bf16x3: three products of bfloat16")
        ->check(CLI::IsMember({"fp32", "tf32", "bf16x3"}))
        ->capture_default_str();
    app.add_option("--threads", o.threads, "threads, 0 for one per core")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    app.add_flag("--pin", o.pin, "hold the threads on as many cores, so that no two share one");
    app.add_option("--seed", o.seed, "of everything drawn at random")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
}

inline void add_prompt_options(CLI::App& app, common_options& o) {
    auto* const tokens = app.add_option("--tokens", o.tokens, "prompts as token ids: NPY, int32 or int64 [N,T]");
    auto* const prompts =
        app.add_option("--prompts", o.prompts, "prompts as text: UTF-8, one a line, leading spaces kept");
    auto* const corpus = app.add_option("--corpus", o.corpus, "draw prompts from a text: windows of --length tokens");
    prompts->excludes(tokens);
    corpus->excludes(tokens)->excludes(prompts);
    app.add_option("--count", o.count, "windows drawn from the corpus")->needs(corpus)->capture_default_str();
    app.add_option("--length", o.length, "tokens of a window")->needs(corpus)->capture_default_str();
    app.add_option("--bos", o.bos, "begin every prompt with the beginning-of-text token (default: see below)")
        ->check(CLI::IsMember({"on", "off"}));
}

}  // namespace program
