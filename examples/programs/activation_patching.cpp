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

#include <algorithm>

#include <plateau/metrics/largest_element.hpp>
#include <plateau/program/study.hpp>
#include <plateau/program/token_choice.hpp>
#include <plateau/sweep/activation_patching.hpp>
#include <plateau/sweep/patching_figure.hpp>

namespace {

using namespace plateau;
using plateau::index;
using program::token_text;

program::manifest const leaves{
    .axes = "L layers, H heads, T tokens of a prompt",
    .files = {{"resid_pre.npy", "float64 [L,T]", "effect of blocks.l.hook_resid_pre at position t; no unit"},
              {"attn_out.npy", "float64 [L,T]", "effect of blocks.l.hook_attn_out at position t; no unit"},
              {"mlp_out.npy", "float64 [L,T]", "effect of blocks.l.hook_mlp_out at position t; no unit"},
              {"head_z.npy", "float64 [L,H]",
               "effect of head h of blocks.l.attn.hook_z at all positions at once; no unit"},
              {"tokens.npy", "int64 [2,T]", "token ids of the clean and of the corrupted prompt, as run"},
              {"patching.png", "", "the four matrices"}},
    .summary =
        "clean_logit_difference, corrupted_logit_difference (d of the two runs; nats), answer, wrong (token ids), "
        "answer_text, wrong_text, layers, heads, length (tokens of a prompt), first_difference (the first "
        "position in which the prompts differ: before it effects are 0 and nothing runs); points_per_second "
        "counts elements of the matrices",
    .notes = {"What is patched: the clean prompt's activation, into the run of the corrupted prompt. With d = "
              "logit(answer) - logit(wrong) at the last position, in nats, the effect of a patch is (d_patched - "
              "d_corrupted) / (d_clean - d_corrupted): 0 if it does nothing, 1 if it brings all of the clean run's d "
              "back.",
              "BOS: as the published tokenizer does for --clean and --corrupted, none for --tokens, unless --bos says "
              "otherwise."}};

struct options : program::common_options {
    std::string clean = " She and her sister had always";
    std::string corrupted = " She and her sister could always";
    std::optional<std::string> answer, wrong;
};

struct results {
    models::model_texts texts;
    prompt_list prompts;  ///< the clean and the corrupted one
    program::answer_tokens tokens = {};
    sweep::patching_effects effects = {};
};

/// The clean and the corrupted prompt.
prompt_list prompts_of(options const& o, models::model_texts const& model) {
    bool const text = o.tokens.empty();
    auto prompts = text ? prompt_list{program::encode(model, o.clean, "--clean"),
                                      program::encode(model, o.corrupted, "--corrupted")}
                        : program::tokens_of(o, model);
    if (prompts.size() != 2)
        throw usage_error(o.tokens, " holds ", prompts.size(), " prompts: give two, the clean and the corrupted one");
    program::add_bos(o, model, text && model.require_tokenizer().adds_bos(), prompts);
    return prompts;
}

template <class T>
results measure(options const& o, model<T> const& model, program::meter& meter) {
    results all{model, prompts_of(o, model)};
    model.engine().require_prompts(all.prompts);
    meter.timed([&] {
        all.tokens = program::answers_of(model, all.prompts, o.answer, o.wrong);
        index const heads = hooks::find_site(model.sites(), "blocks.0.attn.hook_z").heads;
        meter.points = model.layers() * (3 * static_cast<index>(all.prompts[0].size()) + heads);
        meter.show(meter.points, "patches");
        all.effects = sweep::patch_activations(model, all.prompts[0], all.prompts[1],
                                               {all.tokens.answer, all.tokens.wrong, meter.counter()});
    });
    return all;
}

table table_of(results const& all) {
    table table{{"patched", "largest effect", "layer", "where"}};
    auto const row = [&](char const* name, tensor::buffer<double, 2> const& effects) {
        auto const [layer, at, value] = metrics::largest_element(effects);
        bool const by_head = &effects == &all.effects.head_z;
        auto const where =
            by_head
                ? concat({"head ", at})
                : concat({"position ", at, "  ", token_text(all.texts, all.prompts[0][static_cast<std::size_t>(at)])});
        table.row({name, fixed(value, 3), std::to_string(layer), where});
    };
    row("hook_resid_pre", all.effects.resid_pre);
    row("hook_attn_out", all.effects.attn_out);
    row("hook_mlp_out", all.effects.mlp_out);
    row("attn.hook_z", all.effects.head_z);
    return table;
}

void run(program::study& study, options const& o) {
    auto const all = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study.meter); });
    auto const &clean = all.prompts[0], &corrupted = all.prompts[1];

    auto const answer = token_text(all.texts, all.tokens.answer), wrong = token_text(all.texts, all.tokens.wrong),
               values = "clean " + fixed(all.effects.clean, 3) + ", corrupted " + fixed(all.effects.corrupted, 3);
    auto figure = sweep::patching_figure(all.effects, all.texts, all.prompts);
    figure.title = program::title_of(o);
    figure.counts = concat({"logit(", answer, ") − logit(", wrong, "):  clean ", fixed(all.effects.clean, 3),
                            ",  corrupted ", fixed(all.effects.corrupted, 3)});

    auto& out = study.out();
    auto const [layers, heads] = all.effects.head_z.extents();
    out.axis("L", layers);
    out.axis("H", heads);
    out.axis("T", static_cast<index>(clean.size()));
    out.array("resid_pre.npy", all.effects.resid_pre.flat());
    out.array("attn_out.npy", all.effects.attn_out.flat());
    out.array("mlp_out.npy", all.effects.mlp_out.flat());
    out.array("head_z.npy", all.effects.head_z.flat());
    out.array("tokens.npy", program::padded_tokens(all.prompts, static_cast<index>(clean.size())));
    out.picture("patching.png", [&](std::ostream& to) { viz::write_heat_maps(figure, to); });
    study.summary = {{"clean_logit_difference", all.effects.clean},
                     {"corrupted_logit_difference", all.effects.corrupted},
                     {"answer", all.tokens.answer},
                     {"wrong", all.tokens.wrong},
                     {"answer_text", program::plain_text(all.texts, all.tokens.answer)},
                     {"wrong_text", program::plain_text(all.texts, all.tokens.wrong)},
                     {"layers", layers},
                     {"heads", heads},
                     {"length", clean.size()},
                     {"first_difference", std::ranges::mismatch(clean, corrupted).in1 - clean.begin()}};
    study.report(o,
                 concat({program::model_text(o), ": ", layers, " layers, ", heads, " heads, ", clean.size(),
                         " tokens\nlogit(", answer, ") - logit(", wrong, "): ", values}),
                 table_of(all).render() + study.rate("patches"));
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "activation_patching",
        "Activation patching: which activations of a clean prompt bring its answer into the run of a corrupted one.",
        leaves};
    options o;
    o.out = "activation_patching.out";
    auto& app = study.app;
    program::add_model_options(app, o);
    auto const clean = program::add_option(app, "--clean", &o.clean, "the prompt whose activations are taken");
    auto const corrupted = program::add_option(app, "--corrupted", &o.corrupted,
                                               "the prompt in whose run they are put, as long in tokens");
    clean.needs(corrupted);
    corrupted.needs(clean);
    app.add_option("--tokens", &o.tokens,
                   "both prompts as token ids instead: NPY, int32 or int64 [2,T], the clean one first")
        .excludes(clean)
        .excludes(corrupted);
    app.add_option("--answer", &o.answer,
                   "the token that the clean prompt makes likely: a text of one token, or its id (text:4 and id:4 say "
                   "which); by default the likeliest one after the clean prompt");
    app.add_option("--wrong", &o.wrong,
                   "the token that the corrupted prompt makes likely; by default the likeliest one after that");
    program::add_bos_option(app, o, "both prompts");
    program::add_option(app, "--out", &o.out, "folder for the results");
    study.add_report_option();
    return study.run(argc, argv, [&] { run(study, o); });
}
