// Similar and dissimilar prompts: is the way between two activations sharper if the prompts go on differently?
//
//     similar_dissimilar --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 600 --out results
//
// The six illustrative pairs of Janiak et al. 2024 (arXiv 2409.17113, figure 2): three whose last words call for
// different next tokens, three whose last words do not. Then pairs of the corpus: each context with one prompt that
// ends with its last token and one that does not. Then, over any pairs, sharpness against how far the predictions are
// apart.

#include <plateau/corpus/illustrative_pairs.hpp>
#include <plateau/corpus/last_token.hpp>
#include <plateau/program/pairs.hpp>
#include <plateau/program/report/charts.hpp>
#include <plateau/sweep/answer_curves.hpp>
#include <plateau/sweep/output_distances.hpp>
#include <plateau/sweep/pair_statistics.hpp>

namespace {

using namespace plateau;
using plateau::index;
using statistics::estimate;

program::manifest const leaves{
    .axes = "S steps, P pairs of the corpus, N prompts, T tokens of the longest",
    .files = {{"illustrative_relative.npy", "float64 [6,S]", "d(alpha)/d(1) of D1, D2, D3, S1, S2, S3; no unit"},
              {"illustrative_logits.npy", "float64 [6,S]",
               "normalised logit difference of the two runs' likeliest tokens: 0 at A, 1 at B; NaN where both runs "
               "have the same one"},
              {"illustrative.csv", "6 rows", "the first table"},
              {"relative.npy", "float64 [P,S]", "d(alpha)/d(1) of pairs of the corpus; NaN for a degenerate pair"},
              {"max_slope.npy", "float64 [P]", "its largest step, x (S-1): per unit of alpha"},
              {"alpha_jump.npy", "float64 [P]", "where that step is: alpha, in [0,1]"},
              {"width.npy", "float64 [P]", "alpha at 0.9 - alpha at 0.1 of its isotonic fit"},
              {"output_distance.npy", "float64 [P]",
               "Jensen-Shannon distance of the next-token distributions of both prompts' own runs, in [0,1]"},
              {"corpus_distance.npy", "float64 [P]",
               "that of what follows their last tokens in the text of --corpus; NaN where a token is followed less "
               "than --min-count times",
               "--corpus"},
              {"kinds.npy", "int64 [P]",
               "0: same last token, 1: different last token (pair i + K to pair i of kind 0, the same context), 2: "
               "--pairs"},
              program::pairs_file,
              program::tokens_file,
              program::lengths_file,
              {"last_token.csv", "", "the second and third table, every number with its 95 % interval (_low, _high)"},
              {"distances.csv", "", "the fourth table"},
              {"similar_dissimilar.png", "", "the six curves, and their logit differences"}},
    .summary =
        "steps, triples, pairs, illustrative_max_slope (6 numbers), and as [value, low, high] "
        "same_max_slope_median, different_max_slope_median, max_slope_cliffs_delta",
    .notes = {"Triples (context, same, different) share no prompt: their intervals are bootstraps of triples, "
              "differences are paired, p is that of flipped signs of the paired differences (mean, two-sided). Cliff's "
              "delta = P(same > different) - P(same < different), in [-1,1]. rho: Spearman's, with the bootstrap that "
              "--pairs calls for (blocks of a chain, prompts drawn again where pairs share them otherwise).",
              program::prompts_note}};

struct options : program::pair_options {
    index min_count = 50;
};

auto const& illustrative = corpus::illustrative_pairs;
double const nan = std::numeric_limits<double>::quiet_NaN();

/// What the six pairs gave.
struct illustrative_results {
    sweep::answer_curves along;
    sweep::transitions curves;
};

template <class T>
illustrative_results run_illustrative(options const& o, model<T> const& model, program::study& study) {
    prompt_list prompts;
    sweep::pair_design six;
    for (auto const& one : illustrative) {
        six.pairs.push_back({static_cast<index>(prompts.size()), static_cast<index>(prompts.size()) + 1});
        for (auto const* end : {one.a, one.b})
            prompts.push_back(program::encode(model, concat({one.beginning, end}), one.name));
    }
    program::add_bos(o, model, false, prompts);
    auto const where = o.sites(study.meter);
    auto along = program::sweep_pairs(study, prompts, six, o.steps, [&](auto const& pairs, index) {
        return sweep::answers_along(model, prompts, pairs, o.steps, where);
    });
    sweep::require_finite(along.distances.distances, o.read_site);
    auto curves = sweep::transitions_of(along.distances.alpha, along.distances.distances, o.min_d1);
    return {std::move(along), std::move(curves)};
}

/// What is reported. Pairs of the corpus are in the order of their kinds: same last token, different ones, --pairs.
struct results {
    models::model_texts texts;
    prompt_list prompts;
    sweep::pair_design others = {}, all = {};  ///< pairs of --pairs; all
    index groups = 0;                          ///< triples
    illustrative_results six = {};
    sweep::transitions curves = {};
    std::vector<double> output_distance = {}, corpus_distance = {};  ///< [P]
};

template <class T>
results measure(options const& o, model<T> const& model, program::study& study) {
    (void)model.require_tokenizer();
    results r{model, program::load_prompts(o, model, false)};
    r.others = program::pairs_of(o, r.prompts);
    auto const triples = corpus::last_token_triples(r.prompts, o.seed);
    r.groups = static_cast<index>(triples.size());
    for (auto const& t : triples) r.all.pairs.push_back({t.context, t.same});
    for (auto const& t : triples) r.all.pairs.push_back({t.context, t.different});
    std::ranges::copy(r.others.pairs, std::back_inserter(r.all.pairs));
    study.meter.expect((r.all.count() + static_cast<index>(illustrative.size())) * o.steps);
    r.six = run_illustrative(o, model, study);
    auto const swept = program::sweep_lines(study, model, r.prompts, r.all, o.steps, o.sites());
    r.curves = sweep::transitions_of(swept.alpha, swept.distances, o.min_d1);
    program::require_memory(static_cast<index>(r.prompts.size()), model.vocabulary() * index{sizeof(T)},
                            concat({"the logits of ", r.prompts.size(), " prompts"}), "ask for fewer prompts");
    r.output_distance = sweep::output_distances(model, r.prompts, r.all);
    if (o.corpus.empty()) return r;
    corpus::following_tokens const following{program::encode_file(model, o.corpus)};
    r.corpus_distance = sweep::corpus_distances(following, model.vocabulary(), r.prompts, r.all, o.min_count);
    return r;
}

statistics::interval_table table_of(illustrative_results const& r, models::model_texts const& texts) {
    statistics::interval_table table{
        {"pair", "A ends", "B ends", "likeliest at A", "at B"},
        {"max slope", "alpha jump", "d(0.4)/d(1)", "width", "logits at 0.4", "logit slope"}};
    auto const single = [](double x) { return estimate{x, nan, nan, nan}; };  // one pair has no interval
    auto const quoted = [&](token_id token) {
        std::string text = texts.tokenizer->decode({&token, 1});
        for (char& c : text) c = c == '\n' || c == ',' ? '.' : c;
        return "'" + text + "'";
    };
    for (std::size_t i = 0; i < illustrative.size(); ++i) {
        auto const& [name, beginning, a, b] = illustrative[i];
        table.row({name, concat({"'", a, "'"}), concat({"'", b, "'"}), quoted(r.along.answers[i][0]),
                   quoted(r.along.answers[i][1])},
                  {single(r.curves.max_slope[i]), single(r.curves.alpha_jump[i]), single(r.curves.at(0.4)[i]),
                   single(r.curves.width[i]), single(metrics::value_at(r.curves.alpha, r.along.logits[i], 0.4)),
                   single(metrics::max_slope(r.along.logits[i]).value)});
    }
    return table;
}

/// What triples say: levels of both kinds, and their paired differences.
struct triple_tables {
    statistics::interval_table levels{
        {"last token", "pairs"},
        {"max slope", "width", "d(0.4)/d(1)", "share < 1.2", "share < 1.5", "output distance"}};
    statistics::interval_table effects{{"same - different"}, {"median difference", "Cliff's delta", "p of mean"}, 4};
    std::vector<estimate> slopes{2};
    estimate slope_effect{nan, nan, nan, nan};
};

/// The part [first, first + count) of what is known of all pairs.
std::vector<double> part(std::vector<double> const& values, index first, index count) {
    return {values.begin() + first, values.begin() + first + count};
}

triple_tables compare_triples(results const& r, sweep::pair_design const& design) {
    triple_tables all;
    if (r.groups < 2) return all;
    auto const at_04 = r.curves.at(0.4);
    for (index kind = 0; kind < 2; ++kind) {
        auto const of = [&](std::vector<double> const& values) { return part(values, kind * r.groups, r.groups); };
        auto const below = [&](double limit) {
            std::vector<double> is;
            for (double const s : of(r.curves.max_slope)) is.push_back(std::isnan(s) ? nan : s < limit ? 1 : 0);
            return design.share(is);
        };
        auto const& slope = all.slopes[static_cast<std::size_t>(kind)] = design.median(of(r.curves.max_slope));
        all.levels.row({kind == 0 ? "same" : "different", std::to_string(r.groups)},
                       {slope, design.median(of(r.curves.width)), design.median(of(at_04)), below(1.2), below(1.5),
                        design.median(of(r.output_distance))});
    }
    auto const add_effect = [&](char const* name, std::vector<double> const& values) {
        auto const found = sweep::difference_of(design, part(values, 0, r.groups), part(values, r.groups, r.groups));
        if (!std::isnan(found.p)) all.effects.row({name}, {found.median, found.cliffs_delta, {found.p, nan, nan, nan}});
        return found.cliffs_delta;
    };
    all.slope_effect = add_effect("max slope", r.curves.max_slope);
    add_effect("width", r.curves.width);
    add_effect("d(0.4)/d(1)", at_04);
    return all;
}

/// Sharpness against distance, over the pairs of --pairs.
statistics::interval_table correlations_of(results const& r) {
    statistics::interval_table table{{"sharpness", "against", "pairs"}, {"rho"}};
    auto const of_others = [&](std::vector<double> const& values) {
        return part(values, 2 * r.groups, r.others.count());
    };
    for (auto const& [against, distances] :
         {std::pair{"output distance", &r.output_distance}, {"corpus distance", &r.corpus_distance}}) {
        if (distances->empty()) continue;
        for (auto const& [name, sharpness] :
             {std::pair{"max slope", &r.curves.max_slope}, {"width", &r.curves.width}}) {
            auto const found = sweep::correlation_of(r.others, of_others(*distances), of_others(*sharpness));
            table.row({name, against, std::to_string(found.known)}, {found.rho});
        }
    }
    return table;
}

viz::labelled_figure figure_of(options const& o, illustrative_results const& six) {
    viz::labelled_panel distance{
        "distance", {"α  (from A to B)"}, {"d(α) / d(1)"}, {}, {{.diagonal = true, .label = "no plateau"}}};
    viz::labelled_panel logits{
        "logits", {"α  (from A to B)"}, {"normalised logit difference"}, {}, {{.diagonal = true}}};
    for (std::size_t i = 0; i < illustrative.size(); ++i) {
        auto const& [name, beginning, a, b] = illustrative[i];
        auto const curve = six.curves.curve(static_cast<index>(i));
        distance.curves.push_back({.label = concat({name, "  …", a, " /", b}),
                                   .x = six.curves.alpha,
                                   .y = {curve.begin(), curve.end()},
                                   .dashed = illustrative[i].similar()});
        logits.curves.push_back(distance.curves.back());
        logits.curves.back().y = six.along.logits[i];
    }
    return {.title = program::title_of(o),
            .counts = concat({o.steps, " steps"}),
            .subtitle = "dissimilar pairs (solid) and similar ones (dashed), " + o.write_site + " → " + o.read_site,
            .panels = {distance, logits}};
}

void run(program::study& study, options const& o) {
    require_valid(o);
    auto const r = study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study); });
    sweep::pair_design const of_triples{{}, 3 * r.groups, sweep::pair_design::dependence::none, r.others.resampling};
    auto const six = table_of(r.six, r.texts);
    auto const triples = compare_triples(r, of_triples);
    auto const correlations = correlations_of(r);

    auto& out = study.out();
    program::write_prompts_and_pairs(out, r.prompts, r.all);
    program::write_transitions(out, r.curves);
    out.array("illustrative_relative.npy", r.six.curves.relative);
    out.array("illustrative_logits.npy", r.six.along.logits, std::identity{});
    out.array("output_distance.npy", r.output_distance);
    if (!o.corpus.empty()) out.array("corpus_distance.npy", r.corpus_distance);
    std::vector<index> kinds;
    for (index p = 0; p < r.all.count(); ++p) kinds.push_back(p < r.groups ? 0 : p < 2 * r.groups ? 1 : 2);
    out.array("kinds.npy", kinds);
    out.text("illustrative.csv", six.csv());
    out.text("last_token.csv", triples.levels.csv() + "\n" + triples.effects.csv());
    out.text("distances.csv", correlations.csv());
    program::draw(out, "similar_dissimilar.png", figure_of(o, r.six));
    study.summary = {{"steps", o.steps},
                     {"triples", r.groups},
                     {"pairs", r.others.count()},
                     {"illustrative_max_slope", r.six.curves.max_slope},
                     {"same_max_slope_median", triples.slopes[0]},
                     {"different_max_slope_median", triples.slopes[1]},
                     {"max_slope_cliffs_delta", triples.slope_effect}};
    study.report(o,
                 concat({program::title_of(o), ": ", o.steps, " steps, ", o.write_site, " -> ", o.read_site,
                         "; 95 % intervals in brackets\n"}),
                 six.render() + '\n' +
                     (r.groups > 1 ? triples.levels.render() + '\n' + triples.effects.render() + '\n'
                                   : "no two triples of prompts that do and do not end alike: give more prompts\n\n") +
                     correlations.render() + program::degenerate_text(r.curves));
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{
        "similar_dissimilar",
        "Similar and dissimilar prompts: how sharp the way between them is, and how differently they go on.", leaves};
    options o;
    program::add_study_options(study, o);
    program::add_pair_options(study.app, o);
    program::add_site_options(study.app, o);
    program::add_option(study.app, "--min-count", &o.min_count,
                        "how often a last token has to be followed by another in the corpus, to compare what follows "
                        "it");
    return study.run(argc, argv, [&] { run(study, o); });
}
