#pragma once
/// What all programs share: options, prompts, the model, errors and the summary.

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <plateau/core/output_set.hpp>
#include <plateau/core/pinned.hpp>
#include <plateau/core/progress.hpp>
#include <plateau/core/table.hpp>
#include <plateau/corpus/windows.hpp>
#include <plateau/io/npy.hpp>
#include <plateau/models/shuffled_weights.hpp>

namespace program {

using plateau::index;
using plateau::token_id;

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

/// The embedded model's folder: baked in at build; PLATEAU_DATA overrides it, as the folder that holds `embedded`, or as
/// the model's folder itself.
inline std::string embedded_model() {
    char const* const elsewhere = std::getenv("PLATEAU_DATA");
    bool const given = elsewhere != nullptr && *elsewhere != '\0';
    std::filesystem::path const data = given ? elsewhere : PLATEAU_DATA_DIR;
    std::error_code ignored;
    return (std::filesystem::exists(data / "config.json", ignored) ? data : data / "embedded").string();
}

inline void add_model_options(CLI::App& app, common_options& o) {
    app.set_version_flag("--version", PLATEAU_VERSION);
    o.model = embedded_model();
    app.add_option("--model", o.model, "a Hugging Face folder, a snapshot folder of its cache, or a GGUF file")
        ->capture_default_str();
    app.add_option("--weights", o.weights, "baselines for what training has made: random, drawn as the family starts its training (config.json is "
                                           "enough, no weights are read); shuffled, the elements of every stored tensor in random order; both "
                                           "with --seed")
        ->check(CLI::IsMember({"stored", "random", "shuffled"}))->capture_default_str();
    app.add_option("--dtype", o.dtype, "bf16: weights and inputs of matrix products in bfloat16, the rest in fp32")
        ->check(CLI::IsMember({"fp32", "fp64", "bf16"}))->capture_default_str();
    app.add_option("--backend", o.backend, "who computes; auto takes the best there is")
        ->check(CLI::IsMember({"cpu", "cuda", "auto"}))->capture_default_str();
    app.add_option("--float-products", o.products, "how a CUDA device multiplies matrices of --dtype fp32; bf16x3: three products of bfloat16")
        ->check(CLI::IsMember({"fp32", "tf32", "bf16x3"}))->capture_default_str();
    app.add_option("--threads", o.threads, "threads, 0 for one per core")->check(CLI::Range(0, 4096))->capture_default_str();
    app.add_flag("--pin", o.pin, "hold the threads on as many cores, so that no two share one");
    app.add_option("--seed", o.seed, "of everything drawn at random")->check(CLI::NonNegativeNumber)->capture_default_str();
}

inline void add_prompt_options(CLI::App& app, common_options& o) {
    auto* const tokens = app.add_option("--tokens", o.tokens, "prompts as token ids: NPY, int32 or int64 [N,T]");
    auto* const prompts = app.add_option("--prompts", o.prompts, "prompts as text: UTF-8, one a line, leading spaces kept");
    auto* const corpus = app.add_option("--corpus", o.corpus, "draw prompts from a text: windows of --length tokens");
    prompts->excludes(tokens);
    corpus->excludes(tokens)->excludes(prompts);
    app.add_option("--count", o.count, "windows drawn from the corpus")->needs(corpus)->capture_default_str();
    app.add_option("--length", o.length, "tokens of a window")->needs(corpus)->capture_default_str();
    app.add_option("--bos", o.bos, "begin every prompt with the beginning-of-text token (default: see below)")
        ->check(CLI::IsMember({"on", "off"}));
}

/// Parses the command line, runs `body`, and turns what goes wrong into one message and an exit status:
/// 2 for wrong usage, 1 for anything else.
template <class Body>
int run(CLI::App& app, int argc, char** argv, Body&& body) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow, a reader that went away: errors to report, not to die of
    std::signal(SIGPIPE, SIG_IGN);
    try {
        app.parse(argc, argv);
        body();
        if (!std::cout.flush()) std::cerr << app.get_name() << ": stdout cannot be written to; the files are complete\n";
        return 0;
    } catch (CLI::ParseError const& problem) {
        if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
        std::cerr << app.get_name() << ": " << problem.what() << "; see --help\n";
        return 2;
    } catch (plateau::usage_error const& problem) {
        std::cerr << app.get_name() << ": " << problem.what() << '\n';
        return 2;
    } catch (std::bad_alloc const&) {
        std::cerr << app.get_name() << ": out of memory: ask for fewer prompts, steps or sites at a time\n";
    } catch (std::exception const& problem) {
        std::cerr << app.get_name() << ": " << problem.what() << '\n';
    }
    return 1;
}

/// The lines of a text file, one prompt each. @throws usage_error on an empty line
inline std::vector<std::string> read_lines(std::string const& path) {
    std::string const text = plateau::io::read_text(path);
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t const end = std::min(text.find('\n', begin), text.size());
        std::string line = text.substr(begin, end - begin);
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.empty()) {
            throw plateau::usage_error(path + ": line " + std::to_string(lines.size() + 1) +
                                       " is empty: every line is a prompt, remove it");
        }
        lines.push_back(std::move(line));
        begin = end + 1;
    }
    if (lines.empty()) throw plateau::usage_error(path + ": there is no prompt in this file");
    return lines;
}

/// An NPY file of integers. @throws usage_error if it holds something else; file_error if it is no NPY file
inline plateau::io::npy_data<index> read_integers(std::string const& path) {
    auto const array = plateau::io::read_npy(path);
    if (array.descr.find_first_of("iu") == std::string::npos) {
        throw plateau::usage_error(path + ": the array holds '" + array.descr + "', expected integers; save int32 or int64");
    }
    return plateau::io::integers(array, path);
}

/// @throws memory_error if `count` things of `bytes` each cannot fit into this machine's memory
inline void require_memory(index count, index bytes, std::string const& what, std::string const& way_out) {
    index const memory = static_cast<index>(::sysconf(_SC_PHYS_PAGES)) * static_cast<index>(::sysconf(_SC_PAGESIZE));
    if (count <= memory / bytes) return;
    throw plateau::memory_error(what + " need more memory than this machine's " + std::to_string(memory >> 20) + " MiB: " +
                                way_out);
}

/// Prompts of an NPY file [N,T]. @param or_one  one prompt [T] will do too      @throws usage_error, file_error
inline plateau::models::prompt_list read_tokens(std::string const& path, bool or_one = false) {
    auto array = read_integers(path);
    if (or_one && array.shape.size() == 1) array.shape.insert(array.shape.begin(), 1);
    if (array.shape.size() != 2 || array.shape[0] == 0 || array.shape[1] == 0) {
        throw plateau::usage_error(path + ": tokens must have the shape [prompts, length], neither of them 0");
    }
    plateau::models::prompt_list prompts;
    for (index i = 0; i < array.shape[0]; ++i) {
        auto& prompt = prompts.emplace_back();
        for (index t = 0; t < array.shape[1]; ++t) {
            index const token = array.values[static_cast<std::size_t>(i * array.shape[1] + t)];
            if (token < 0 || token > std::numeric_limits<token_id>::max()) {
                throw plateau::usage_error(path + ": prompt " + std::to_string(i) + " holds " + std::to_string(token) +
                                           ", which is no token id");
            }
            prompt.push_back(static_cast<token_id>(token));
        }
    }
    return prompts;
}

/// Token ids of a text. @param where  the text's place, for messages      @throws file_error if it is not UTF-8
template <class Model>
std::vector<token_id> encode(Model const& model, std::string const& text, std::string const& where) {
    try {
        return model.require_tokenizer().encode(text);
    } catch (plateau::domain_error const& problem) {
        throw plateau::file_error(where + ": " + problem.what());
    }
}

/// Begins every prompt with BOS if --bos, or else the default, says so. @throws usage_error if there is none to be had
template <class Model>
void add_bos(common_options const& o, Model const& model, bool by_default, plateau::models::prompt_list& prompts) {
    if (!(o.bos ? *o.bos == "on" : by_default)) return;
    auto const id = model.bos();
    if (!id) throw plateau::usage_error("--bos on: this model names no beginning-of-text token");
    for (auto& prompt : prompts) prompt.insert(prompt.begin(), *id);
}

/// The prompts that the options ask for. @param bos_by_default  prepend BOS to texts as the published tokenizer does
template <class Model>
plateau::models::prompt_list load_prompts(common_options const& o, Model const& model, bool bos_by_default) {
    plateau::models::prompt_list prompts;
    bool bos = false;
    if (!o.tokens.empty()) {
        prompts = read_tokens(o.tokens);
    } else if (!o.corpus.empty()) {
        if (o.count < 1 || o.length < 1) throw plateau::usage_error("--count and --length must be at least 1");
        auto const all = encode(model, plateau::io::read_text(o.corpus), o.corpus);
        try {
            prompts = plateau::corpus::draw_windows(all, o.count, o.length, o.seed);
        } catch (plateau::usage_error const& problem) {
            throw plateau::usage_error(o.corpus + ": " + problem.what());
        }
    } else {
        auto const path = o.prompts.empty() ? embedded_model() + "/prompts.txt" : o.prompts;
        for (auto const& line : read_lines(path)) {
            prompts.push_back(encode(model, line, path + ": line " + std::to_string(prompts.size() + 1)));
        }
        bos = bos_by_default && model.require_tokenizer().adds_bos();
    }
    add_bos(o, model, bos, prompts);
    plateau::models::require_prompts(model, prompts);
    return prompts;
}

/// Token ids [N,T] with T the longest prompt, −1 beyond a shorter one.
inline std::vector<std::int64_t> padded_tokens(plateau::models::prompt_list const& prompts, index longest) {
    std::vector<std::int64_t> tokens(prompts.size() * static_cast<std::size_t>(longest), -1);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        std::copy(prompts[i].begin(), prompts[i].end(), tokens.begin() + static_cast<std::ptrdiff_t>(i) * longest);
    }
    return tokens;
}

inline index longest_of(plateau::models::prompt_list const& prompts) {
    std::size_t longest = 0;
    for (auto const& prompt : prompts) longest = std::max(longest, prompt.size());
    return static_cast<index>(longest);
}

inline std::vector<std::int64_t> lengths_of(plateau::models::prompt_list const& prompts) {
    std::vector<std::int64_t> lengths;
    for (auto const& prompt : prompts) lengths.push_back(static_cast<std::int64_t>(prompt.size()));
    return lengths;
}

inline bool ragged(plateau::models::prompt_list const& prompts) {
    auto const lengths = lengths_of(prompts);
    return *std::min_element(lengths.begin(), lengths.end()) != longest_of(prompts);
}

class stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The options as given, for summary.json.
inline nlohmann::json options_of(CLI::App const& app) {
    nlohmann::json options = nlohmann::json::object();
    for (auto const* option : app.get_options()) {
        if (option->count() > 0) options[option->get_name()] = option->results().size() == 1 ? option->results()[0] : "";
    }
    return options;
}

/// Who computes, for summary.json.
struct computer {
    std::string backend, kind;  ///< kind: the instruction set, or the device
    int threads = 0;
};

inline computer computer_of(plateau::backend::cpu_context const& ctx) { return {"cpu", std::string{name_of(ctx.path())}, ctx.threads()}; }
#if PLATEAU_HAS_CUDA
inline computer computer_of(plateau::backend::cuda_context const& ctx) {
    return {"cuda", plateau::concat({ctx.device_name(), ", float products in ", name_of(ctx.products())}), ctx.threads()};
}
#endif

/// The keys that every summary has.
inline nlohmann::ordered_json summary_of(CLI::App const& app, common_options const& o, computer const& by, double load_seconds, double seconds,
                                         index points) {
    nlohmann::ordered_json summary;
    summary["program"] = app.get_name();
    summary["version"] = PLATEAU_VERSION;
    summary["model"] = o.model;
    summary["dtype"] = o.dtype;
    summary["backend"] = by.backend;
    summary[by.backend == "cpu" ? "instruction_set" : "device"] = by.kind;
    summary["threads"] = by.threads;
    summary["seed"] = o.seed;
    summary["seconds"] = seconds;
    summary["load_seconds"] = load_seconds;
    summary["points_per_second"] = seconds > 0 ? static_cast<double>(points) / seconds : 0.0;
    summary["options"] = options_of(app);
    return summary;
}

/// The text of summary.json. Doubles have the fewest digits that give back the same bits; NaN and infinities become null.
inline std::string json_text(nlohmann::ordered_json const& summary) {
    return summary.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

/// What to say of the weights after the model's name: nothing of stored ones.
inline std::string weights_of(common_options const& o) {
    return o.weights == "stored" ? "" : ", " + o.weights + " weights (seed " + std::to_string(o.seed) + ")";
}

/// The model as pictures name it: by the last part of its path.
inline std::string title_of(common_options const& o) {
    std::filesystem::path const path{o.model};
    return (path.has_filename() ? path : path.parent_path()).filename().string() + weights_of(o);
}

/// The model with the weights that --weights names.
template <class T, class Context>
plateau::models::language_model<Context, T> load_model(common_options const& o, Context const& ctx, plateau::dtype storage) {
    if (o.weights == "random") return plateau::models::load_random<T>(o.model, ctx, o.seed, storage);
    if (o.weights == "shuffled") return plateau::models::load_shuffled<T>(o.model, ctx, o.seed, storage);
    return plateau::models::load<T>(o.model, ctx, storage);
}

/// A token as it is shown: its text in the middle of a prompt, or its id where there is no tokenizer.
template <class Model>
std::string shown(Model const& model, token_id token) {
    if (!model.tokenizer || token >= model.tokenizer->size()) return std::to_string(token);
    std::string text;
    for (char const c : model.tokenizer->token_text(token)) {
        if (c == ' ') text += "␣";
        else if (c == '\n') text += "↵";
        else text += c;
    }
    return text;
}

/// Calls body(context, model, load_seconds) with the model in the arithmetic that --dtype names.
template <class Context, class Body>
void with_model_on(Context const& ctx, common_options const& o, Body const& body) {
    stopwatch const watch;
    if (o.dtype == "fp64") {
        auto const model = load_model<double>(o, ctx, plateau::dtype::f64);
        body(ctx, model, watch.seconds());
    } else {
        auto const model = load_model<float>(o, ctx, o.dtype == "bf16" ? plateau::dtype::bf16 : plateau::dtype::f32);
        body(ctx, model, watch.seconds());
    }
}

#if PLATEAU_HAS_CUDA
/// The device that --backend asks for: none for cpu, and none for auto where there is none, which it says.
/// @throws device_error where --backend cuda finds none
inline std::unique_ptr<plateau::backend::cuda_context> device_of(common_options const& o) {
    if (o.backend == "cpu") return nullptr;
    try {
        using plateau::backend::float_products;
        auto const products = o.products == "tf32" ? float_products::tf32 : o.products == "bf16x3" ? float_products::bf16x3 : float_products::fp32;
        auto device = std::make_unique<plateau::backend::cuda_context>(products);
        device->on_notice([](std::string const& text) { std::cerr << text << '\n'; });
        if (o.backend == "auto") std::cerr << "backend: cuda (" << device->device_name() << ")\n";
        return device;
    } catch (plateau::device_error const& why) {
        if (o.backend == "cuda") throw;
        std::cerr << "backend: cpu (" << why.what() << ")\n";
        return nullptr;
    }
}
#endif

/// Calls body(context, model, load_seconds) with the model in the arithmetic that --dtype names, where --backend says.
template <class Body>
void with_model(common_options const& o, Body const& body) {
#if PLATEAU_HAS_CUDA
    if (auto const device = device_of(o)) return with_model_on(*device, o, body);
#else
    if (o.backend == "cuda") throw plateau::usage_error("--backend cuda: this build has no CUDA backend; use --backend cpu or auto");
    if (o.backend == "auto") std::cerr << "backend: cpu (this build has no CUDA backend)\n";
#endif
    plateau::backend::cpu_context const ctx{o.threads};
    std::optional<plateau::pinned> held;
    if (o.pin && !held.emplace(ctx.threads()).held()) {
        std::cerr << "--pin: there are not " << ctx.threads() << " processors to hold the threads on; they run where the system puts them\n";
    }
    with_model_on(ctx, o, body);
}

}  // namespace program
