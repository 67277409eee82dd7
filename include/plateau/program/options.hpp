#pragma once
/// Options that all programs take.

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <plateau/backend/backends.hpp>
#include <plateau/core/types.hpp>
#include <plateau/program/command_line.hpp>

namespace plateau::program {

/// Options that every program takes.
struct common_options {
    std::string model;
    std::string weights = "stored";
    std::string dtype = "fp32";
    std::string backend = backend::device_names[0];
    std::string products = "fp32";
    int threads = 0;
    std::string memory;  ///< as given; empty: what the machine allows
    bool pin = false;
    std::uint64_t seed = 0;
    std::string out;
    std::string tokens, prompts, corpus;
    index count = 100, length = 10;
    std::optional<std::string> bos;
};

/// The folder that holds the model `embedded`, if the build tells one: a program that is built elsewhere has none.
inline std::string data_folder;

/// The embedded model's folder. PLATEAU_DATA overrides what the build told, as the folder that holds `embedded`, or as
/// the model's folder itself. Empty if there is neither.
inline std::string embedded_model() {
    char const* const elsewhere = std::getenv("PLATEAU_DATA");
    std::filesystem::path const data = elsewhere != nullptr && *elsewhere != '\0' ? elsewhere : data_folder;
    if (data.empty()) return "";
    std::error_code ignored;
    return (std::filesystem::exists(data / "config.json", ignored) ? data : data / "embedded").string();
}

/// An option whose default --help shows.
inline option add_option(command_line& app, std::string const& name, option_value value, std::string const& what) {
    return app.add_shown(name, value, what);
}

/// One of some names. @param name  of the option
inline option add_choice(command_line& app, std::string const& name, std::string& value,
                         std::vector<std::string> const& names, std::string const& what) {
    return add_option(app, name, &value, what).one_of(names);
}

inline void add_bos_option(command_line& app, common_options& o, std::string const& what) {
    app.add_option("--bos", &o.bos, "begin " + what + " with the beginning-of-text token (default: see below)")
        .one_of({"on", "off"});
}

inline void add_model_options(command_line& app, common_options& o) {
    std::vector<std::string> products;
    for (auto const one : backend::all_float_products) products.emplace_back(name_of(one));
    app.set_version(PLATEAU_VERSION);
    o.model = embedded_model();
    auto const model =
        add_option(app, "--model", &o.model, "a Hugging Face folder, a snapshot folder of its cache, or a GGUF file");
    auto const chosen = add_choice(
        app, "--weights", o.weights, {"stored", "random", "shuffled"},
        "baselines for what training has made: random, drawn as the family starts its training (config.json is "
        "enough, no weights are read); shuffled, the elements of every stored tensor in random order; both "
        "with --seed");
    app.add_option("--config", &o.model, "in place of --model: the config.json of any shape, for --weights random")
        .needs(chosen)
        .excludes(model);
    add_choice(app, "--dtype", o.dtype, {"fp32", "fp64", "bf16"},
               "bf16: weights and inputs of matrix products in bfloat16, the rest in fp32");
    add_choice(app, "--backend", o.backend, {std::begin(backend::device_names), std::end(backend::device_names)},
               "who computes; auto takes the best there is");
    add_choice(
        app, "--float-products", o.products, products,
        "how matrices of --dtype fp32 are multiplied, but in fp32: of a device tf32 and bf16x3, of a processor with "
        "AMX bf16x6 (six products of bfloat16, as good as fp32), bf16x3 (three) and bf16");
    add_option(app, "--threads", &o.threads, "threads, 0 for one per core").within(0, 4096);
    app.add_option("--memory", &o.memory,
                   "bytes, or 200M (2^20), 6G (2^30), that the process may have: weights that do not fit pass layer by "
                   "layer (default: what the machine and its control groups allow)");
    app.add_flag("--pin", o.pin, "hold the threads on as many cores, so that no two share one");
    add_option(app, "--seed", &o.seed, "of everything drawn at random").not_negative();
}

inline void add_prompt_options(command_line& app, common_options& o) {
    auto const tokens = app.add_option("--tokens", &o.tokens,
                                       "prompts as token ids: NPY, integers [N,T], -1 on the right of a shorter one");
    auto const prompts =
        app.add_option("--prompts", &o.prompts, "prompts as text: UTF-8, one a line, leading spaces kept");
    auto const corpus = app.add_option("--corpus", &o.corpus, "draw prompts from a text: windows of --length tokens");
    prompts.excludes(tokens);
    corpus.excludes(tokens).excludes(prompts);
    add_option(app, "--count", &o.count, "windows drawn from the corpus").needs(corpus);
    add_option(app, "--length", &o.length, "tokens of a window").needs(corpus);
    add_bos_option(app, o, "every prompt");
}

/// What the default prompts are, for the text of --help.
inline constexpr char const* prompts_note =
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on.";

}  // namespace plateau::program
