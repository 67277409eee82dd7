// Text that a model writes, steered if you like.
//
//     generate --prompt "Once upon a time" --max-new-tokens 50
//     generate --prompt "I think" --temperature 0.8 --top-k 40 --seed 7 --steer v.npy --steer-site
//     blocks.6.hook_resid_post --steer-scale 4

#include <cmath>

#include <plateau/engine/generate.hpp>
#include <plateau/io/npy_numbers.hpp>
#include <plateau/models/end_tokens.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/program/study.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes = "N prompts, T tokens of the longest text",
    .files = {{"tokens.npy", "int64 [N,T]", "prompt and what follows, as run and chosen; -1 beyond a shorter one"},
              {"lengths.npy", "int64 [N]", "tokens of each text", "if lengths differ"},
              {"prompt_lengths.npy", "int64 [N]", "how many of them are the prompt"}},
    .summary =
        "prompts, new_tokens, stopped (texts that ended before --max-new-tokens); points_per_second counts new "
        "tokens",
    .notes =
        {"The text goes to stdout: the prompt and what the model wrote after it, and a newline; several texts have "
         "a line --- between them. A token that ends the text (that of generation_config.json or else "
         "config.json) is not printed, nor is BOS. A model without a tokenizer takes --tokens, and prints token "
         "ids.",
         "Steering adds scale x vector to the hook point's rows at every position, those of the prompt and BOS "
         "included; the vector is float32 or float64 with as many numbers as the hook point has per position "
         "(`activations --list`).",
         "BOS: as the published tokenizer does for --prompt and --prompts, none for the others, unless --bos says "
         "otherwise."},
    .where = "Files written to --out, if it is given"};

struct options : program::common_options {
    std::optional<std::string> prompt;
    index max_new_tokens = 64;
    std::optional<double> temperature;
    index top_k = 0;
    bool ignore_eos = false, only_new = false;
    std::string steer, steer_site;
    double steer_scale = 1;
};

/// The hook that adds scale · vector to every row; the sum of double and row is rounded once.
template <class T>
hooks::hook_set<T> steering(options const& o, std::vector<hooks::site> const& sites) {
    if (o.steer.empty()) return {};
    auto const site = hooks::find_site(sites, o.steer_site);
    if (site.axes == hooks::site_axes::keys) {
        throw usage_error("--steer-site ", o.steer_site, ": its width depends on the position, it takes no vector");
    }
    auto vector = io::read_numbers(o.steer).values;
    if (!std::ranges::all_of(vector, [](double value) { return std::isfinite(value); }))
        throw usage_error(o.steer, ": the vector holds a value that is not finite");
    auto const expected = site.heads * site.width;
    if (static_cast<index>(vector.size()) != expected) {
        throw usage_error(o.steer, ": the vector has ", vector.size(), " numbers, ", site.name(), " has ", expected,
                          ": give a vector of that length, or another --steer-site");
    }
    if (!std::isfinite(o.steer_scale)) throw usage_error("--steer-scale must be a finite number");
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

struct results {
    models::model_texts texts;
    prompt_list prompts;
    std::vector<engine::generated> written = {};  ///< after each prompt
};

template <class T>
results measure(options const& o, engine::generate_options how, model<T> const& model, program::meter& meter) {
    auto const set = steering<T>(o, model.sites());
    results all{model, {}};
    if (o.prompt) {
        all.prompts = {program::encode(model, *o.prompt, "--prompt")};
        program::add_bos(o, model, model.require_tokenizer().adds_bos(), all.prompts);
        model.engine().require_prompts(all.prompts);
    } else {
        all.prompts = program::load_prompts(o, model, true);
    }
    if (!o.ignore_eos) how.stop = models::end_tokens(o.model, model.config);
    how.on_tokens = meter.counter();
    meter.show(static_cast<index>(all.prompts.size()) * o.max_new_tokens, "tokens");
    all.written = meter.timed([&] { return engine::generate(model.engine(), all.prompts, how, set); });
    for (auto const& more : all.written) meter.points += static_cast<index>(more.tokens.size());
    return all;
}

/// What is printed of a text. @param bos  its first token is one that nobody wrote
std::string text_of(models::model_texts const& model, std::vector<token_id> prompt, engine::generated const& more,
                    bool bos, bool only_new) {
    if (bos) prompt.erase(prompt.begin());
    auto all = prompt;
    all.insert(all.end(), more.tokens.begin(), more.tokens.end() - (more.stopped ? 1 : 0));
    if (!model.tokenizer) {
        std::string ids;
        for (std::size_t i = only_new ? prompt.size() : 0; i < all.size(); ++i)
            ids += (ids.empty() ? "" : " ") + std::to_string(all[i]);
        return ids;
    }
    auto const text = model.tokenizer->decode(all);
    return only_new ? text.substr(std::min(text.size(), model.tokenizer->decode(prompt).size())) : text;
}

void write(program::study& study, options const& o, results const& all, std::string const& text) {
    auto whole = all.prompts;
    for (std::size_t i = 0; i < whole.size(); ++i)
        whole[i].insert(whole[i].end(), all.written[i].tokens.begin(), all.written[i].tokens.end());
    program::write_prompts(study.out(), whole);
    study.out().array("prompt_lengths.npy", program::lengths_of(all.prompts));
    study.summary = {{"prompts", whole.size()},
                     {"new_tokens", study.meter.points},
                     {"stopped", std::ranges::count_if(all.written, &engine::generated::stopped)}};
    study.publish(o, concat({program::model_text(o), ": ", whole.size(), " prompts continued"}), text);
}

void run(program::study& study, options const& o) {
    if (!o.prompt && o.prompts.empty() && o.tokens.empty() && o.corpus.empty())
        throw usage_error("--prompt is required: the text to continue; or one of --prompts, --tokens and --corpus");
    engine::generate_options const how{.max_new_tokens = o.max_new_tokens,
                                       .choose = {o.temperature.value_or(o.top_k > 1 ? 1.0 : 0.0), o.top_k},
                                       .seed = o.seed};
    engine::require_valid(how.choose);
    auto const all =
        study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, how, model, study.meter); });
    std::string text;
    for (std::size_t i = 0; i < all.prompts.size(); ++i) {
        auto const& prompt = all.prompts[i];
        bool const bos =
            o.tokens.empty() && all.texts.bos() == prompt.front() && (o.prompt || !o.prompts.empty() || o.bos == "on");
        text += (i > 0 ? "---\n" : "") + text_of(all.texts, prompt, all.written[i], bos, o.only_new) + '\n';
    }
    if (study.writes()) write(study, o, all, text);
    std::cout << text;
    if (!std::cout.flush() && !study.writes())
        throw file_error("cannot write the text to stdout; give it another place, or --out");
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"generate", "Text that a model writes after a prompt, token by token, steered if you like.",
                         leaves};
    options o;
    auto& app = study.app;
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    auto const prompt = app.add_option("--prompt", &o.prompt, "the text to continue");
    for (auto const* other : {"--prompts", "--tokens", "--corpus"}) prompt.excludes(app.get_option(other));
    program::add_option(app, "--max-new-tokens", &o.max_new_tokens, "write at most this many").positive();
    app.add_option("--temperature", &o.temperature,
                   "0 takes the likeliest token, the default; 1 is the model's distribution, the default with --top-k");
    program::add_option(app, "--top-k", &o.top_k, "only this many likeliest tokens have a chance; 0 for all")
        .not_negative();
    app.add_flag("--ignore-eos", o.ignore_eos, "write on where the model ends the text");
    app.add_flag("--only-new", o.only_new, "print what follows the prompt alone");
    auto const steer = app.add_option("--steer", &o.steer, "a vector to add while the model reads and writes: NPY");
    auto const site = app.add_option("--steer-site", &o.steer_site, "the hook point that it is added to").needs(steer);
    program::add_option(app, "--steer-scale", &o.steer_scale, "what it is multiplied by").needs(steer);
    steer.needs(site);
    app.add_option("--out", &o.out, "also leave tokens and a summary in this folder");
    study.add_report_option();
    return study.run(argc, argv, [&] { run(study, o); });
}
