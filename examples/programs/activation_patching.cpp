// Activation patching: which activations of a clean prompt make a run of a corrupted one predict what the clean one
// does.
//
//     activation_patching --model SmolLM2-135M-Instruct.Q4_1.gguf --clean "When John and Mary went to the shops, John
//     gave the bag to"
//         --corrupted "When John and Mary went to the shops, Mary gave the bag to" --answer " Mary" --wrong " John"
//         --out results
//
// Every activation of the clean prompt's run, one at a time, replaces that of the corrupted prompt's run; its effect is
// how much of the clean run's logit difference comes back. See Wang et al. 2022, arXiv 2211.00593.

#include <plateau/engine/generate.hpp>
#include <plateau/sweep/activation_patching.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/heat_maps.hpp>
#endif

#include "support/program.hpp"

namespace {

using plateau::index;
using plateau::token_id;
using program::model_texts;
using program::prompt_list;
using program::shown;
namespace sweep = plateau::sweep;

constexpr char const* files_text =
    "What is patched: the clean prompt's activation, into the run of the corrupted prompt. With d = logit(answer) - "
    "logit(wrong)\n"
    "at the last position, in nats, the effect of a patch is (d_patched - d_corrupted) / (d_clean - d_corrupted): 0 if "
    "it does\n"
    "nothing, 1 if it brings all of the clean run's d back.\n"
    "Files written to --out (L layers, H heads, T tokens of a prompt):\n"
    "  resid_pre.npy     float64 [L,T]  effect of blocks.l.hook_resid_pre at position t; no unit\n"
    "  attn_out.npy      float64 [L,T]  effect of blocks.l.hook_attn_out at position t; no unit\n"
    "  mlp_out.npy       float64 [L,T]  effect of blocks.l.hook_mlp_out at position t; no unit\n"
    "  head_z.npy        float64 [L,H]  effect of head h of blocks.l.attn.hook_z at all positions at once; no unit\n"
    "  tokens.npy        int64   [2,T]  token ids of the clean and of the corrupted prompt, as run\n"
    "  patching.png      the four matrices\n"
    "  summary.json      one object     program, version, model, dtype, backend, instruction_set, threads, seed, "
    "seconds,\n"
    "                    load_seconds, points_per_second (elements of the matrices), options, clean_logit_difference,\n"
    "                    corrupted_logit_difference (d of the two runs; nats), answer, wrong (token ids), "
    "answer_text,\n"
    "                    wrong_text, layers, heads, length (tokens of a prompt), first_difference (the first position "
    "in which\n"
    "                    the prompts differ: before it effects are 0 and nothing runs); seconds of computing and of "
    "loading\n"
    "BOS: as the published tokenizer does for --clean and --corrupted, none for --tokens, unless --bos says otherwise.";

struct options : program::common_options {
    std::string clean = " She and her sister had always";
    std::string corrupted = " She and her sister could always";
    std::optional<std::string> answer, wrong;
};

/// The clean and the corrupted prompt.
prompt_list prompts_of(options const& o, model_texts const& model) {
    bool const text = o.tokens.empty();
    auto prompts = text ? prompt_list{program::encode(model, o.clean, "--clean"),
                                      program::encode(model, o.corrupted, "--corrupted")}
                        : program::read_tokens(o.tokens);
    if (prompts.size() != 2) {
        throw plateau::usage_error(o.tokens + " holds " + std::to_string(prompts.size()) +
                                   " prompts: give two, the clean and the corrupted one");
    }
    program::add_bos(o, model, text && model.require_tokenizer().adds_bos(), prompts);
    return prompts;
}

/// The token that an option names: by its id, or by a text that is this one token.
token_id token_of(model_texts const& model, index vocabulary, std::string const& given, std::string const& option) {
    if (!given.empty() && given.find_first_not_of("0123456789") == std::string::npos) {
        if (given.size() < 10 && std::stol(given) < vocabulary) return static_cast<token_id>(std::stol(given));
        throw plateau::usage_error(option + " " + given + " is no token id: the vocabulary has " +
                                   std::to_string(vocabulary) + " tokens");
    }
    auto const ids = program::encode(model, given, option);
    if (ids.size() == 1) return ids[0];
    std::string parts;
    for (token_id const id : ids) parts += (parts.empty() ? "" : " + ") + shown(model, id);
    throw plateau::usage_error(option + " '" + given + "' is " + std::to_string(ids.size()) + " tokens" +
                               (ids.empty() ? "" : ", " + parts) +
                               ": give a text of one token (a space before a word belongs to it), or a token id");
}

/// What makes the difference: the tokens given, or those that the two prompts make likeliest.
struct choice {
    token_id answer, wrong;
};

template <class T>
choice choice_of(options const& o, plateau::model<T> const& model, prompt_list const& prompts) {
    std::array<token_id, 2> tokens{};
    if (!o.answer || !o.wrong) {
        auto const next = plateau::engine::generate(model.engine(), prompts, {.max_new_tokens = 1});
        tokens = {next[0].tokens[0], next[1].tokens[0]};
    }
    if (o.answer) tokens[0] = token_of(model, model.vocabulary(), *o.answer, "--answer");
    if (o.wrong) tokens[1] = token_of(model, model.vocabulary(), *o.wrong, "--wrong");
    if (tokens[0] == tokens[1]) {
        throw plateau::usage_error("the answer and the wrong answer are the same token, " + shown(model, tokens[0]) +
                                   " (id " + std::to_string(tokens[0]) +
                                   "): give others as --answer and --wrong (by default the tokens that the "
                                   "clean and the corrupted prompt make likeliest), or prompts that differ more");
    }
    return {tokens[0], tokens[1]};
}

/// What is reported.
struct results {
    program::run_cost cost;
    model_texts texts;
    prompt_list prompts;  ///< the clean and the corrupted one
    choice tokens;
    sweep::patching_effects effects;

    index layers() const { return effects.head_z.extent(0); }
    index heads() const { return effects.head_z.extent(1); }
    index length() const { return effects.resid_pre.extent(1); }
};

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    auto prompts = prompts_of(o, model);
    model.engine().require_prompts(prompts);
    program::stopwatch const watch;
    auto const tokens = choice_of(o, model, prompts);
    index const heads = plateau::hooks::find_site(model.sites(), "blocks.0.attn.hook_z").heads,
                patches = model.layers() * (3 * static_cast<index>(prompts[0].size()) + heads);
    auto effects = [&] {
        plateau::progress bar{"patches", patches};
        return sweep::patch_activations(model, prompts[0], prompts[1],
                                        {tokens.answer, tokens.wrong, [&](index done) { bar.advance(done); }});
    }();
    return {{model.computer(), load_seconds, watch.seconds(), patches},
            model,
            std::move(prompts),
            tokens,
            std::move(effects)};
}

/// The element of the largest magnitude.
struct place {
    index row = 0, column = 0;
};
place largest_of(plateau::tensor::buffer<double, 2> const& matrix) {
    place at;
    for (index r = 0; r < matrix.extent(0); ++r) {
        for (index c = 0; c < matrix.extent(1); ++c) {
            if (std::abs(matrix(r, c)) > std::abs(matrix(at.row, at.column))) at = {r, c};
        }
    }
    return at;
}

#if PLATEAU_HAS_CAIRO
/// The four matrices, positions under the tokens there: where the prompts differ that of the clean one over the
/// corrupted one's.
plateau::viz::heat_figure figure_of(options const& o, results const& found) {
    auto const& [cost, model, prompts, tokens, effects] = found;
    std::vector<plateau::viz::column_label> positions;
    for (std::size_t t = 0; t < prompts[0].size(); ++t) {
        bool const differ = prompts[0][t] != prompts[1][t];
        positions.push_back(
            {shown(model, prompts[0][t]) + (differ ? " / " + shown(model, prompts[1][t]) : ""), differ});
    }
    auto const map = [&](char const* title, auto const& values, bool by_head) {
        auto const view = plateau::tensor::view<double const, 2>(values.view());
        return by_head ? plateau::viz::heat_map{title, view, {}, "head, at all positions", "layer"}
                       : plateau::viz::heat_map{title, view, positions, "position: token (clean / corrupted)", "layer"};
    };
    plateau::viz::heat_figure figure;
    figure.title = program::title_of(o);
    figure.counts = "logit(" + shown(model, tokens.answer) + ") − logit(" + shown(model, tokens.wrong) + "):  clean " +
                    plateau::fixed(effects.clean, 3) + ",  corrupted " + plateau::fixed(effects.corrupted, 3);
    figure.subtitle =
        "part of the clean prompt's logit difference that one patched activation brings back to the corrupted prompt";
    figure.maps = {map("hook_resid_pre", effects.resid_pre, false), map("hook_attn_out", effects.attn_out, false),
                   map("hook_mlp_out", effects.mlp_out, false), map("attn.hook_z of one head", effects.head_z, true)};
    return figure;
}
#endif

plateau::table table_of(results const& found) {
    plateau::table table{{"patched", "largest effect", "layer", "where"}};
    auto const row = [&](char const* name, auto const& matrix, bool by_head) {
        auto const at = largest_of(matrix);
        table.row({name, plateau::fixed(matrix(at.row, at.column), 3), std::to_string(at.row),
                   by_head ? "head " + std::to_string(at.column)
                           : "position " + std::to_string(at.column) + "  " +
                                 shown(found.texts, found.prompts[0][static_cast<std::size_t>(at.column)])});
    };
    row("hook_resid_pre", found.effects.resid_pre, false);
    row("hook_attn_out", found.effects.attn_out, false);
    row("hook_mlp_out", found.effects.mlp_out, false);
    row("attn.hook_z", found.effects.head_z, true);
    return table;
}

nlohmann::ordered_json summary_of(CLI::App const& app, options const& o, results const& found) {
    auto const text_of = [&](token_id token) {
        return found.texts.tokenizer ? found.texts.tokenizer->decode({&token, 1}) : "";
    };
    auto const &clean = found.prompts[0], &corrupted = found.prompts[1];
    auto summary = program::summary_of(app, o, found.cost);
    summary["clean_logit_difference"] = found.effects.clean;
    summary["corrupted_logit_difference"] = found.effects.corrupted;
    summary["answer"] = found.tokens.answer;
    summary["wrong"] = found.tokens.wrong;
    summary["answer_text"] = text_of(found.tokens.answer);
    summary["wrong_text"] = text_of(found.tokens.wrong);
    summary["layers"] = found.layers();
    summary["heads"] = found.heads();
    summary["length"] = found.length();
    summary["first_difference"] = std::mismatch(clean.begin(), clean.end(), corrupted.begin()).first - clean.begin();
    return summary;
}

void run(CLI::App const& app, options const& o) {
    plateau::output_set out{o.out};
    auto const found =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    auto const write = [&](char const* name, auto const& matrix) {
        plateau::io::write_npy(out.file(name), matrix.flat(), {matrix.extent(0), matrix.extent(1)});
    };
    write("resid_pre.npy", found.effects.resid_pre);
    write("attn_out.npy", found.effects.attn_out);
    write("mlp_out.npy", found.effects.mlp_out);
    write("head_z.npy", found.effects.head_z);
    plateau::io::write_npy(out.file("tokens.npy"), program::padded_tokens(found.prompts, found.length()),
                           {2, found.length()});
#if PLATEAU_HAS_CAIRO
    plateau::viz::write_heat_maps(figure_of(o, found), out.file("patching.png").stream());
#else
    std::cerr << "patching.png is not drawn: this build has no cairo\n";
#endif
    out.file("summary.json").write(program::json_text(summary_of(app, o, found)));
    out.commit();

    std::cout << o.model << program::weights_of(o) << ": " << found.layers() << " layers, " << found.heads()
              << " heads, " << found.length() << " tokens\nlogit(" << shown(found.texts, found.tokens.answer)
              << ") - logit(" << shown(found.texts, found.tokens.wrong) << "): clean "
              << plateau::fixed(found.effects.clean, 3) << ", corrupted " << plateau::fixed(found.effects.corrupted, 3)
              << '\n'
              << table_of(found).render() << plateau::fixed(found.cost.points_per_second(), 0)
              << " patches per second\n";
    program::print_places(out, "patching.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Activation patching: which activations of a clean prompt bring its answer into the run of a corrupted one.",
        "activation_patching"};
    options o;
    o.out = "activation_patching.out";
    program::add_model_options(app, o);
    auto* const clean =
        app.add_option("--clean", o.clean, "the prompt whose activations are taken")->capture_default_str();
    auto* const corrupted =
        app.add_option("--corrupted", o.corrupted, "the prompt in whose run they are put, as long in tokens")
            ->capture_default_str();
    clean->needs(corrupted);
    corrupted->needs(clean);
    app.add_option("--tokens", o.tokens,
                   "both prompts as token ids instead: NPY, int32 or int64 [2,T], the clean one first")
        ->excludes(clean)
        ->excludes(corrupted);
    app.add_option("--answer", o.answer,
                   "the token that the clean prompt makes likely: a text of one token, or its id; by default the "
                   "likeliest one after the clean prompt");
    app.add_option("--wrong", o.wrong,
                   "the token that the corrupted prompt makes likely; by default the likeliest one after that");
    app.add_option("--bos", o.bos, "begin both prompts with the beginning-of-text token (default: see below)")
        ->check(CLI::IsMember({"on", "off"}));
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
