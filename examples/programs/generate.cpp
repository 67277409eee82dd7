// Text that a model writes, steered if you like.
//
//     generate --prompt "Once upon a time" --max-new-tokens 50
//     generate --prompt "I think" --temperature 0.8 --top-k 40 --seed 7 --steer v.npy --steer-site
//     blocks.6.hook_resid_post --steer-scale 4

#include <optional>

#include <plateau/engine/generate.hpp>

#include "support/program.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;
using program::model_texts;
using program::prompt_list;

constexpr char const* files_text =
    "The text goes to stdout: the prompt and what the model wrote after it, and a newline; several texts have a line "
    "---\n"
    "between them. A token that ends the text (that of generation_config.json or else config.json) is not printed, nor "
    "is\n"
    "BOS. A model without a tokenizer takes --tokens, and prints token ids.\n"
    "Steering adds scale x vector to the hook point's rows at every position, those of the prompt and BOS included; "
    "the\n"
    "vector is float32 or float64 with as many numbers as the hook point has per position (`activations --list`).\n"
    "Files written to --out, if it is given (N prompts, T tokens of the longest text):\n"
    "  tokens.npy          int64 [N,T]  prompt and what follows, as run and chosen; -1 beyond a shorter one\n"
    "  lengths.npy         int64 [N]    tokens of each text; only if lengths differ\n"
    "  prompt_lengths.npy  int64 [N]    how many of them are the prompt\n"
    "  summary.json        one object   program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                      load_seconds, points_per_second (new tokens), options, prompts, new_tokens, stopped (texts "
    "that\n"
    "                      ended before --max-new-tokens); seconds of computing and of loading\n"
    "BOS: as the published tokenizer does for --prompt and --prompts, none for the others, unless --bos says "
    "otherwise.";

struct options : program::common_options {
    std::optional<std::string> prompt;
    index max_new_tokens = 64;
    std::optional<double> temperature;
    index top_k = 0;
    bool ignore_eos = false, only_new = false;
    std::string steer, steer_site;
    double steer_scale = 1;
};

template <class T>
prompt_list prompts_of(options const& o, plateau::model<T> const& model) {
    if (!o.prompt) return program::load_prompts(o, model, true);
    prompt_list prompts{program::encode(model, *o.prompt, "--prompt")};
    program::add_bos(o, model, model.require_tokenizer().adds_bos(), prompts);
    model.engine().require_prompts(prompts);
    return prompts;
}

/// The numbers of a float NPY file. @throws usage_error on other types; file_error
std::vector<double> read_vector(std::string const& path) {
    auto const array = plateau::io::read_npy(path);
    std::vector<double> values;
    if (array.descr == "<f8") {
        values = plateau::io::typed<double>(array, path).values;
    } else if (array.descr == "<f4") {
        auto const floats = plateau::io::typed<float>(array, path).values;
        values.assign(floats.begin(), floats.end());
    } else {
        throw plateau::usage_error(path + ": the array holds '" + array.descr +
                                   "', expected numbers; save float32 or float64");
    }
    for (double const value : values) {
        if (!std::isfinite(value)) throw plateau::usage_error(path + ": the vector holds a value that is not finite");
    }
    return values;
}

/// The hook that adds scale · vector to every row; the sum of double and row is rounded once.
template <class T>
hooks::hook_set<T> steering(options const& o, std::vector<hooks::site> const& sites) {
    if (o.steer.empty()) return {};
    auto const site = hooks::find_site(sites, o.steer_site);
    if (site.axes == hooks::site_axes::keys) {
        throw plateau::usage_error("--steer-site " + o.steer_site +
                                   ": its width depends on the position, it takes no vector");
    }
    auto vector = read_vector(o.steer);
    auto const expected = site.heads * site.width;
    if (static_cast<index>(vector.size()) != expected) {
        throw plateau::usage_error(o.steer + ": the vector has " + std::to_string(vector.size()) + " numbers, " +
                                   site.name() + " has " + std::to_string(expected) +
                                   ": give a vector of that length, or another --steer-site");
    }
    if (!std::isfinite(o.steer_scale)) throw plateau::usage_error("--steer-scale must be a finite number");
    for (double& value : vector) value *= o.steer_scale;
    return hooks::patch<T>(site.name(), [vector = std::move(vector)](hooks::rows_at<T>& here) {
        auto const rows = here.change();
        for (index r = 0; r < rows.extent(0); ++r) {
            auto add = vector.begin();
            for (index a = 0; a < rows.extent(1); ++a) {
                for (T& value : rows[r][a].flat()) value = static_cast<T>(static_cast<double>(value) + *add++);
            }
        }
    });
}

/// The ids that end a text: those of generation_config.json, if it lies in the model's folder, or else of the model
/// itself.
std::vector<plateau::token_id> end_tokens(options const& o, model_texts const& model) {
    if (o.ignore_eos) return {};
    auto const file = std::filesystem::path(o.model) / "generation_config.json";
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) {
        auto const settings = plateau::io::parse_json(plateau::io::read_text(file), file.string());
        if (plateau::io::find_field(settings.root(), "eos_token_id") != nullptr) {
            return plateau::io::config::parse_token_ids(settings.root(), "eos_token_id", std::nullopt, file.string());
        }
    }
    return model.config.eos;
}

/// The text of ids; one that has none, in a vocabulary larger than its tokenizer, is left out.
std::string decode(plateau::io::tokenizer const& tokenizer, std::vector<plateau::token_id> ids) {
    std::erase_if(ids, [&](plateau::token_id id) {
        try {
            tokenizer.decode({&id, 1});
            return false;
        } catch (plateau::domain_error const&) {
            return true;
        }
    });
    return tokenizer.decode(ids);
}

/// What is printed of a text. @param bos  its first token is one that nobody wrote
std::string text_of(model_texts const& model, std::vector<plateau::token_id> prompt,
                    plateau::engine::generated const& more, bool bos, bool only_new) {
    if (bos) prompt.erase(prompt.begin());
    auto all = prompt;
    all.insert(all.end(), more.tokens.begin(), more.tokens.end() - (more.stopped ? 1 : 0));
    if (!model.tokenizer) {
        std::string ids;
        for (std::size_t i = only_new ? prompt.size() : 0; i < all.size(); ++i)
            ids += (ids.empty() ? "" : " ") + std::to_string(all[i]);
        return ids;
    }
    auto const text = decode(*model.tokenizer, all);
    return only_new ? text.substr(std::min(text.size(), decode(*model.tokenizer, prompt).size())) : text;
}

/// What is reported.
struct results {
    program::run_cost cost;
    model_texts texts;
    prompt_list prompts;
    std::vector<plateau::engine::generated> written;  ///< after each prompt
};

template <class T>
results measure(options const& o, plateau::engine::generate_options how, plateau::model<T> const& model,
                double load_seconds) {
    auto const set = steering<T>(o, model.sites());
    auto prompts = prompts_of(o, model);
    how.stop = end_tokens(o, model);
    program::stopwatch const watch;
    auto written = [&] {
        plateau::progress bar{"tokens", static_cast<index>(prompts.size()) * o.max_new_tokens};
        how.on_tokens = [&](index tokens) { bar.advance(tokens); };
        return plateau::engine::generate(model.engine(), prompts, how, set);
    }();
    program::run_cost cost{model.computer(), load_seconds, watch.seconds(), 0};
    for (auto const& more : written) cost.points += static_cast<index>(more.tokens.size());
    return {std::move(cost), model, std::move(prompts), std::move(written)};
}

void write_files(CLI::App const& app, options const& o, results const& found, plateau::output_set& out) {
    auto whole = found.prompts;
    index stopped = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto const& more = found.written[i];
        whole[i].insert(whole[i].end(), more.tokens.begin(), more.tokens.end());
        stopped += more.stopped ? 1 : 0;
    }
    auto const count = static_cast<index>(whole.size());
    program::write_prompts(out, whole);
    plateau::io::write_npy(out.file("prompt_lengths.npy"), program::lengths_of(found.prompts), {count});
    auto summary = program::summary_of(app, o, found.cost);
    summary["prompts"] = count;
    summary["new_tokens"] = found.cost.points;
    summary["stopped"] = stopped;
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(whole), {"lengths.npy"});
}

void run(CLI::App const& app, options const& o) {
    if (!o.prompt && o.prompts.empty() && o.tokens.empty() && o.corpus.empty()) {
        throw plateau::usage_error(
            "--prompt is required: the text to continue; or one of --prompts, --tokens and --corpus");
    }
    plateau::engine::generate_options how{.max_new_tokens = o.max_new_tokens,
                                          .choose = {o.temperature.value_or(o.top_k > 1 ? 1.0 : 0.0), o.top_k},
                                          .seed = o.seed};
    plateau::engine::require_valid(how.choose);
    std::optional<plateau::output_set> out;
    if (!o.out.empty()) out.emplace(o.out);
    auto const found = program::with_model(
        o, [&](auto const& model, double load_seconds) { return measure(o, how, model, load_seconds); });

    std::string text;
    for (std::size_t i = 0; i < found.prompts.size(); ++i) {
        auto const& prompt = found.prompts[i];
        bool const bos = o.tokens.empty() && found.texts.bos() == prompt.front() &&
                         (o.prompt || !o.prompts.empty() || o.bos == "on");
        text += (i > 0 ? "---\n" : "") + text_of(found.texts, prompt, found.written[i], bos, o.only_new) + '\n';
    }
    if (out) write_files(app, o, found, *out);
    std::cout << text;
    if (!std::cout.flush() && !out)
        throw plateau::file_error("cannot write the text to stdout; give it another place, or --out");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Text that a model writes after a prompt, token by token, steered if you like.", "generate"};
    options o;
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    auto* const prompt = app.add_option("--prompt", o.prompt, "the text to continue");
    for (auto const* other : {"--prompts", "--tokens", "--corpus"}) prompt->excludes(app.get_option(other));
    app.add_option("--max-new-tokens", o.max_new_tokens, "write at most this many")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--temperature", o.temperature,
                   "0 takes the likeliest token, the default; 1 is the model's distribution, the default "
                   "with --top-k");
    app.add_option("--top-k", o.top_k, "only this many likeliest tokens have a chance; 0 for all")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_flag("--ignore-eos", o.ignore_eos, "write on where the model ends the text");
    app.add_flag("--only-new", o.only_new, "print what follows the prompt alone");
    auto* const steer = app.add_option("--steer", o.steer, "a vector to add while the model reads and writes: NPY");
    auto* const site = app.add_option("--steer-site", o.steer_site, "the hook point that it is added to")->needs(steer);
    app.add_option("--steer-scale", o.steer_scale, "what it is multiplied by")->needs(steer)->capture_default_str();
    steer->needs(site);
    app.add_option("--out", o.out, "also leave tokens and a summary in this folder");
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
