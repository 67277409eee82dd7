// Sensitive directions: how far the predictions move when an activation is pushed by a length in directions of
// different kinds.
//
//     sensitive_directions --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 200 --out results
//
// For each prompt the activation A at the write site and last position becomes A + L d/|d|, and KL(p(A) || p(A + L
// d/|d|)) of the next-token distributions there is read. See Heimersheim & Mendel 2024; Lee & Heimersheim 2024, arXiv
// 2410.12555.

#include <plateau/paths/grid.hpp>
#include <plateau/program/directions.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/direction_families.hpp>
#include <plateau/sweep/sensitivity_medians.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::estimate;

std::string families_note() {
    std::string text = "Families of directions d at an activation A:";
    for (auto const& [name, what] : sweep::family_names) text += std::string(" ") + name + ": " + what + ';';
    text.back() = '.';
    return text + " pca is of the first --components, rows of --rows, sae-... of --sae.";
}

program::manifest const leaves{
    .axes = "K families as in summary.json, N prompts, R repeats, L lengths, T tokens of the longest prompt",
    .files = {{"kl.npy", "float64 [K,N,R,L]", "KL(p(A) || p(A + L d/|d|)) at the last position; nats"},
              {"perturbation_lengths.npy", "float64 [L]", "L, in the unit of activations whatever the --unit"},
              {"norms.npy", "float64 [N]", "|A|, in the same unit"},
              program::tokens_file,
              program::lengths_file,
              {"sensitive_directions.csv", "K x L rows",
               "family,length,kl,kl_low,kl_high,ratio,ratio_low,ratio_high: median over prompts of the KL (nats; mean "
               "of a prompt's repeats) and of its ratio to the isotropic one of the same prompt and length, with "
               "intervals"},
              {"sensitive_directions.png", "", "both, against length"}},
    .summary =
        "prompts, repeats, families, unit (of lengths), fit_samples, fit_rank, shrinkage, with --sae dead_features, by "
        "family [value, low, high]: kl_at (--at; nats), length_to_threshold (in --unit; prompts that do not reach it "
        "count with the longest length; null where the median prompt does not), ratio_to_isotropic (at --at), "
        "p_isotropic (signs of its logarithm flipped)",
    .notes = {families_note(), program::fit_note, program::prompts_note}};

struct options : program::direction_options {
    std::vector<std::string> families{"isotropic", "cov-random", "cov-mixture", "real", "real-mixture", "pca"};
    std::vector<double> lengths;
    double scale = 1;
    double at = 0;
    double threshold = 0.1;
    index components = 10;
    index repeats = 1;
    bool centred = false;
    std::string rows;

    bool names(std::string const& family) const { return std::ranges::count(families, family) > 0; }
    bool names_sae() const {
        return std::ranges::any_of(families, [](auto const& name) { return name.starts_with("sae-"); });
    }
};

/// Fills in and checks. @throws usage_error
void settle(options& o) {
    if (o.lengths.empty()) o.lengths = o.unit == "norm" ? paths::step_grid(0.01, 0.1, 21) : paths::step_grid(1, 10, 21);
    for (std::size_t i = 0; i < o.lengths.size(); ++i) {
        if (!(o.lengths[i] > 0 && std::isfinite(o.lengths[i])) || (i > 0 && o.lengths[i] <= o.lengths[i - 1]))
            throw usage_error("--lengths must be positive numbers, each above the one before");
        o.lengths[i] *= o.scale;
    }
    if (!(o.scale > 0)) throw usage_error("--scale must be positive");
    if (!(o.threshold > 0)) throw usage_error("--threshold must be a divergence above 0, in nats");
    for (auto const& name : o.families) {
        if (std::ranges::count(o.families, name) > 1) throw usage_error("--families names ", name, " twice");
    }
    if (o.rows.empty() && o.names("rows")) throw usage_error("the family rows needs --rows FILE.npy");
    if (!o.rows.empty() && !o.names("rows")) o.families.push_back("rows");
    if (o.sae.empty() && o.names_sae())
        throw usage_error("the families sae-active, sae-inactive, sae-dead and sae-error need --sae DIR");
}

struct results {
    prompt_list prompts;
    sweep::fit_facts fit;
    sweep::sensitivity kl;
    std::string left_out = {};  ///< families of --sae that have no direction at some prompt, and why
    std::optional<index> dead_features = {};
};

/// The families of the options, and those of --sae that have a direction at every prompt, unless the options name some.
/// Put your own here: anything that makes a vector of an activation.
template <class T>
std::vector<sweep::direction_family<T>> families_of(options const& o, sweep::direction_sources<T> const& from,
                                                    std::string& left_out) {
    std::vector<sweep::direction_family<T>> all;
    for (auto const& name : o.families) all.push_back(sweep::named_family(name, from));
    for (std::string const name : {"sae-active", "sae-inactive", "sae-dead", "sae-error"}) {
        if (o.sae.empty() || o.names_sae()) break;
        auto family = sweep::named_family(name, from);
        auto const why = sweep::why_missing<T>(family, from.fit.real);
        if (why.empty()) all.push_back(std::move(family));
        else left_out += name + " is left out: " + why + '\n';
    }
    return all;
}

template <class T>
results measure(options const& o, model<T> const& model, prompt_list prompts, program::study& study) {
    auto const [fit, features] = program::fit_of(o, model, prompts, o.names("pca") ? o.components : 0);
    auto const rows = program::read_rows("--rows", o.rows, fit.width);
    results all{.prompts = std::move(prompts), .fit = fit, .kl = {}};
    if (features) all.dead_features = static_cast<index>(features->counts().dead().size());
    sweep::direction_sources<T> const from{fit, rows, features.get()};
    auto const families = families_of(o, from, all.left_out);
    all.kl = {.families = sweep::names_of(families),
              .prompts = static_cast<index>(all.prompts.size()),
              .repeats = o.repeats,
              .lengths = o.lengths,
              .unit = program::unit_of(o, fit)};
    index const points = all.kl.points() + 1;
    program::require_memory(points, all.kl.prompts * 40, concat({points, " points of each prompt"}),
                            "ask for fewer lengths, repeats or prompts");
    auto const units = sweep::draw_units<T>(families, fit.real, o.repeats, o.seed, o.centred);
    study.meter.expect(all.kl.prompts * points);
    auto const of_prompt = static_cast<index>(units.size()) / all.kl.prompts;
    auto const found =
        study.runs.measure({all.kl.prompts, points, all.prompts}, study.meter, [&](index first, index count) {
            std::span const some{units.data() + first * of_prompt, static_cast<std::size_t>(count * of_prompt)};
            return sweep::divergences_of(model, program::some_of(all.prompts, first, count), some,
                                         {.write = o.write_site, .progress = study.meter.counter()}, all.kl);
        });
    all.kl.kl.assign(found.kl.data(), found.kl.data() + found.kl.size());
    return all;
}

using family_medians = std::vector<sweep::sensitivity_medians>;

std::string csv_of(sweep::sensitivity const& kl, family_medians const& medians) {
    statistics::interval_table table{{"family", "length"}, {"kl", "ratio"}};
    auto const lengths = kl.scaled_lengths();
    for (auto const& one : medians) {
        for (std::size_t l = 0; l < lengths.size(); ++l)
            table.row({one.family, csv_cell(lengths[l])}, {one.kl[l], one.ratio_at(l)});
    }
    return table.csv();
}

std::string table_of(options const& o, std::size_t at, family_medians const& medians) {
    std::string const unit = o.unit == "norm" ? " |A|" : "", here = fixed(o.lengths[at], 2) + unit;
    statistics::interval_table table{{"direction", "p"},
                                     {"KL at " + here, "KL at " + fixed(o.lengths.back(), 2) + unit,
                                      "length to " + fixed(o.threshold, 2) + " nats", "KL / isotropic's, " + here}};
    for (auto const& one : medians)
        table.row({one.family, std::isnan(one.p) ? "-" : fixed(one.p, 4)},
                  {one.kl[at], one.kl.back(), one.length_to_threshold, one.ratio_at(at)});
    return table.render();
}

viz::labelled_figure figure_of(options const& o, index prompts, family_medians const& medians) {
    auto const label = o.length_text("length of the perturbation");
    viz::labelled_panel divergences{.title = "how far the predictions move",
                                    .x = {label},
                                    .y = {"KL(p(A) ‖ p(A + L d̂)), nats", true},
                                    .curves = {}};
    viz::labelled_panel ratios{.title = "compared with an isotropic direction of the same length",
                               .x = {label},
                               .y = {"KL / that of isotropic", true},
                               .curves = {},
                               .references = {{.value = 1}}};
    for (std::size_t f = 0; f < medians.size(); ++f) {
        auto const add = [&](viz::labelled_panel& to, std::vector<estimate> const& values) {
            to.curves.push_back(viz::curve_of(medians[f].family, o.lengths, values));
            to.curves.back().ink = viz::series_ink(f);
        };
        add(divergences, medians[f].kl);
        if (!medians[f].ratio.empty()) add(ratios, medians[f].ratio);
    }
    viz::labelled_figure figure{.title = program::title_of(o),
                                .counts = concat({prompts, " prompts"}),
                                .subtitle = o.write_site + " → next token; medians over prompts with 95 % intervals",
                                .panels = {std::move(divergences)}};
    if (!ratios.curves.empty()) figure.panels.push_back(std::move(ratios));
    return figure;
}

void run(program::study& study, options o) {
    settle(o);
    auto const all = study.measure(o, [&]<class T>(model<T> const& model) {
        auto prompts = program::load_prompts(o, model, false);
        return study.meter.timed([&] { return measure(o, model, std::move(prompts), study); });
    });
    auto const at = o.at > 0 ? all.kl.nearest_to(o.at) : o.lengths.size() / 2;
    auto const medians = sweep::medians_of(all.kl, {.at = at, .threshold = o.threshold, .resampling = o.resampling()});

    auto& out = study.out();
    out.axis("K", static_cast<index>(all.kl.families.size()));
    out.axis("R", o.repeats);
    out.axis("L", static_cast<index>(o.lengths.size()));
    program::write_prompts(out, all.prompts);
    out.array("kl.npy", all.kl.kl);
    out.array("perturbation_lengths.npy", all.kl.scaled_lengths());
    out.array("norms.npy", all.fit.norms);
    out.text("sensitive_directions.csv", csv_of(all.kl, medians));
    program::draw(out, "sensitive_directions.png", figure_of(o, all.kl.prompts, medians));
    auto& summary = study.summary = {
        {"prompts", all.kl.prompts}, {"repeats", o.repeats}, {"families", all.kl.families}, {"unit", all.kl.unit}};
    program::put_fit(summary, all.fit);
    if (all.dead_features) summary["dead_features"] = *all.dead_features;
    for (auto const& one : medians) {
        summary["kl_at"][one.family] = one.kl[at];
        summary["length_to_threshold"][one.family] = one.length_to_threshold;
        summary["ratio_to_isotropic"][one.family] = one.ratio_at(at);
        summary["p_isotropic"][one.family] = one.p;
    }
    study.report(o,
                 program::model_text(o) + concat({": ", all.kl.prompts, " prompts, ", o.write_site, ", "}) +
                     program::fit_text(all.fit),
                 table_of(o, at, medians) + all.left_out + study.rate());
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "sensitive_directions",
        "Sensitive directions: how far predictions move when activations are pushed in directions of different kinds.",
        leaves};
    options o;
    auto& app = study.app;
    program::add_study_options(study, o);
    program::add_direction_options(app, o);
    std::vector<std::string> known;
    for (auto const& one : sweep::family_names) known.emplace_back(one.name);
    program::add_option(app, "--families", &o.families, "kinds of directions, see below").with_commas().one_of(known);
    app.add_option("--rows", &o.rows, "adds the family rows: NPY, floats [F,D]");
    program::add_sae_option(
        app, o, "adds those of its families that have a direction at every prompt, unless --families names some");
    program::add_option(app, "--components", &o.components, "principal components of the family pca, at most")
        .within(1, 1 << 20);
    app.add_option("--lengths", &o.lengths,
                   "of the perturbation, in --unit (default: 21, 0.01, 0.11, ..., 2.01 for norm; 1, 11, ..., 201, as "
                   "published, for raw)")
        .with_commas();
    program::add_option(app, "--scale", &o.scale, "multiplies all lengths");
    app.add_option("--at", &o.at,
                   "the length of the table, in --unit; the nearest one is taken (default: the middle one)");
    program::add_option(app, "--threshold", &o.threshold, "the divergence whose length is told, in nats");
    program::add_option(app, "--repeats", &o.repeats,
                        "directions of each kind per prompt; a prompt's number is their mean")
        .within(1, 1 << 16);
    app.add_flag(
        "--centred", o.centred,
        "take from each direction its own mean over the coordinates, as published code does for models with LayerNorm");
    return study.run(argc, argv, [&] { run(study, o); });
}
