// Similar and dissimilar prompts: is the way between two activations sharper if the prompts go on differently?
//
//     similar_dissimilar --model SmolLM2-135M-Instruct.Q4_1.gguf --corpus novel.txt --count 600 --out results
//
// The six illustrative pairs of Janiak et al. 2024 (arXiv 2409.17113, figure 2): three whose last words call for
// different next tokens, three whose last words do not. Then pairs of the corpus: each context with one prompt that
// ends with its last token and one that does not. Then, over any pairs, sharpness against how far the predictions are
// apart.

#include <plateau/corpus/following_tokens.hpp>
#include <plateau/corpus/last_token.hpp>
#include <plateau/engine/generate.hpp>
#include <plateau/engine/read/answer_logits.hpp>
#include <plateau/metrics/jensen_shannon.hpp>
#include <plateau/metrics/logit_difference.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/sweep/activations.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/studies.hpp"

namespace {

using plateau::index;
using plateau::token_id;
namespace corpus = plateau::corpus;
namespace metrics = plateau::metrics;
namespace statistics = plateau::statistics;
using program::model_texts;
using program::prompt_list;
using statistics::estimate;

constexpr char const* files_text =
    "Files written to --out (S steps, P pairs of the corpus, N prompts, T tokens of the longest):\n"
    "  illustrative_relative.npy  float64 [6,S]  d(alpha)/d(1) of D1, D2, D3, S1, S2, S3; no unit\n"
    "  illustrative_logits.npy    float64 [6,S]  normalised logit difference of the two runs' likeliest tokens: 0 at "
    "A, 1 at B; NaN where\n"
    "                             both runs have the same one\n"
    "  illustrative.csv           6 rows         the first table\n"
    "  relative.npy               float64 [P,S]  d(alpha)/d(1) of pairs of the corpus; NaN for a degenerate pair\n"
    "  max_slope.npy              float64 [P]    its largest step, x (S-1): per unit of alpha\n"
    "  alpha_jump.npy             float64 [P]    where that step is: alpha, in [0,1]\n"
    "  width.npy                  float64 [P]    alpha at 0.9 - alpha at 0.1 of its isotonic fit\n"
    "  output_distance.npy        float64 [P]    Jensen-Shannon distance of the next-token distributions of both "
    "prompts' own runs, in [0,1]\n"
    "  corpus_distance.npy        float64 [P]    that of what follows their last tokens in the text of --corpus; NaN "
    "where a token is\n"
    "                             followed less than --min-count times; only with --corpus\n"
    "  kinds.npy                  int64   [P]    0: same last token, 1: different last token (pair i + K to pair i of "
    "kind 0, the same\n"
    "                             context), 2: --pairs\n"
    "  pairs.npy                  int64   [P,2]  prompts of each pair, counted from 0: context, other\n"
    "  tokens.npy                 int64   [N,T]  token ids of the corpus prompts, -1 beyond a shorter one; lengths.npy "
    "int64 [N] if lengths differ\n"
    "  last_token.csv             the second and third table, every number with its 95 % interval (_low, _high)\n"
    "  distances.csv              the fourth table\n"
    "  similar_dissimilar.png     the six curves, and their logit differences\n"
    "  summary.json               one object     program, version, model, dtype, backend, instruction_set, threads, "
    "seed, seconds,\n"
    "                             load_seconds, points_per_second, options, steps, triples, pairs, "
    "illustrative_max_slope (6 numbers),\n"
    "                             and as [value, low, high] same_max_slope_median, different_max_slope_median, "
    "max_slope_cliffs_delta\n"
    "Triples (context, same, different) share no prompt: their intervals are bootstraps of triples, differences are "
    "paired, p is that of\n"
    "flipped signs of the paired differences (mean, two-sided). Cliff's delta = P(same > different) - P(same < "
    "different), in [-1,1].\n"
    "rho: Spearman's, with the bootstrap that --pairs calls for (blocks of a chain, prompts drawn again where pairs "
    "share them otherwise).\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. No BOS unless --bos on, as "
    "published.";

struct options : program::study_options {
    index min_count = 50;
};

/// Two prompts that differ in what comes after a common beginning.
struct illustrative_pair {
    char const* name;
    std::string beginning, a, b;
};

/// @see Janiak et al. 2024, figure 2 and code; all start with a space
std::vector<illustrative_pair> const illustrative{
    {"D1", " The house at the end of the street was", " very", " in"},
    {"D2", " He suddenly looked at his watch and realized he", " was", " had"},
    {"D3", " And then she picked up the phone to call", " her", " him"},
    {"S1", " She opened the dusty book and a cloud of", " mist", " dust"},
    {"S2", " In the quiet library, students flipped through pages", " of", " in"},
    {"S3", " The hiker reached the peak and admired the", " breathtaking", " spectacular"},
};

double const nan = std::numeric_limits<double>::quiet_NaN();

/// A token's text, for a table.
std::string shown(model_texts const& model, token_id token) {
    std::string text = model.tokenizer->decode({&token, 1});
    for (char& c : text) c = c == '\n' || c == ',' ? '.' : c;
    return "'" + text + "'";
}

/// What the six pairs gave.
struct illustrative_results {
    program::pair_curves curves;
    std::vector<std::vector<double>> logits;     ///< [6][S]
    std::vector<std::vector<token_id>> answers;  ///< [6][2]: the likeliest token of both runs
};

template <class T>
illustrative_results run_illustrative(options const& o, plateau::model<T> const& model, program::point_count& counted) {
    prompt_list prompts;
    std::vector<plateau::sweep::prompt_pair> pairs;
    for (auto const& one : illustrative) {
        pairs.push_back({static_cast<index>(prompts.size()), static_cast<index>(prompts.size()) + 1});
        for (auto const& end : {one.a, one.b}) prompts.push_back(program::encode(model, one.beginning + end, one.name));
    }
    program::add_bos(o, model, false, prompts);
    illustrative_results r;
    auto const next = plateau::engine::generate(model.engine(), prompts, {.max_new_tokens = 1});
    for (std::size_t i = 0; i < illustrative.size(); ++i)
        r.answers.push_back({next[2 * i].tokens[0], next[2 * i + 1].tokens[0]});
    plateau::engine::answer_logits<T> logits{model.engine(), r.answers, o.steps};
    auto const curves = program::sweep_lines(model, prompts, pairs, o.steps, o.sites(), counted, logits.reads());
    r.curves = program::curves_of(curves.alpha, curves.distances, o.min_d1);
    for (index p = 0; p < static_cast<index>(illustrative.size()); ++p) {
        r.logits.push_back(metrics::normalised_logit_difference(logits.of(p, 0), logits.of(p, 1)));
    }
    return r;
}

program::interval_table table_of(illustrative_results const& r, model_texts const& model) {
    program::interval_table table{{"pair", "A ends", "B ends", "likeliest at A", "at B"},
                                  {"max slope", "alpha jump", "d(0.4)/d(1)", "width", "logits at 0.4", "logit slope"}};
    auto const single = [](double x) { return estimate{x, nan, nan, nan}; };  // one pair has no interval
    for (std::size_t i = 0; i < illustrative.size(); ++i) {
        table.row({illustrative[i].name, "'" + illustrative[i].a + "'", "'" + illustrative[i].b + "'",
                   shown(model, r.answers[i][0]), shown(model, r.answers[i][1])},
                  {single(r.curves.max_slope[i]), single(r.curves.alpha_jump[i]), single(r.curves.at(0.4)[i]),
                   single(r.curves.width[i]), single(metrics::value_at(r.curves.alpha, r.logits[i], 0.4)),
                   single(metrics::max_slope(r.logits[i]).value)});
    }
    return table;
}

/// Distances [P] of the next-token distributions of both prompts' own runs.
template <class T>
std::vector<double> output_distances(plateau::model<T> const& model, prompt_list const& prompts,
                                     program::pair_design const& design) {
    program::require_memory(static_cast<index>(prompts.size()), model.vocabulary() * index{sizeof(T)},
                            "the logits of " + std::to_string(prompts.size()) + " prompts", "ask for fewer prompts");
    bool const capped = model.engine().facts().logit_cap > 0;
    auto const logits = plateau::sweep::last_activations(model, prompts, capped ? "hook_logits" : "unembed.hook_out");
    std::vector<double> distances;
    for (auto const& pair : design.pairs) {
        distances.push_back(metrics::jensen_shannon_of_logits<T>(logits[pair.from].flat(), logits[pair.to].flat()));
    }
    return distances;
}

/// Distances [P] of what follows the last tokens of both prompts in the text of --corpus; none without it.
std::vector<double> corpus_distances(options const& o, model_texts const& model, index vocabulary,
                                     prompt_list const& prompts, program::pair_design const& design) {
    std::vector<double> distances;
    if (o.corpus.empty()) return distances;
    corpus::following_tokens const following{program::encode(model, plateau::io::read_text(o.corpus), o.corpus)};
    for (auto const& pair : design.pairs) {
        token_id const a = prompts[static_cast<std::size_t>(pair.from)].back(),
                       b = prompts[static_cast<std::size_t>(pair.to)].back();
        bool const known = std::min(following.count(a), following.count(b)) >= o.min_count;
        auto const next = [&](token_id token) { return following.distribution(token, vocabulary); };
        distances.push_back(known ? metrics::jensen_shannon_distance(next(a), next(b)) : nan);
    }
    return distances;
}

/// The part [first, first + count) of what is known of all pairs.
std::vector<double> part(std::vector<double> const& values, index first, index count) {
    return {values.begin() + first, values.begin() + first + count};
}

/// Spearman's rho of the pairs for which both are known, with its interval; how many there are.
std::pair<estimate, index> correlation(program::pair_design const& design, std::vector<double> const& x,
                                       std::vector<double> const& y, options const& o) {
    using both = std::array<double, 2>;
    std::vector<both> points;
    for (std::size_t i = 0; i < x.size(); ++i) points.push_back({x[i], y[i]});
    auto const known = [](std::span<both const> some) {
        std::vector<both> kept;
        for (auto const& one : some) {
            if (!std::isnan(one[0]) && !std::isnan(one[1])) kept.push_back(one);
        }
        return kept;
    };
    auto const rho = [&](std::span<both const> drawn) { return statistics::spearman(known(drawn)); };
    return {design.interval(std::span<both const>{points}, rho, o), static_cast<index>(known(points).size())};
}

#if PLATEAU_HAS_CAIRO
void write_figure(options const& o, illustrative_results const& six, std::ostream& out) {
    namespace viz = plateau::viz;
    viz::labelled_panel distance{
        "distance", {"α  (from A to B)"}, {"d(α) / d(1)"}, {}, {{.diagonal = true, .label = "no plateau"}}};
    viz::labelled_panel logits{
        "logits", {"α  (from A to B)"}, {"normalised logit difference"}, {}, {{.diagonal = true}}};
    for (std::size_t i = 0; i < illustrative.size(); ++i) {
        bool const similar = illustrative[i].name[0] == 'S';
        auto const label = std::string(illustrative[i].name) + "  …" + illustrative[i].a + " /" + illustrative[i].b;
        auto const curve = six.curves.curve(static_cast<index>(i));
        distance.curves.push_back(
            {.label = label, .x = six.curves.alpha, .y = {curve.begin(), curve.end()}, .dashed = similar});
        logits.curves.push_back({.label = label, .x = six.curves.alpha, .y = six.logits[i], .dashed = similar});
    }
    viz::labelled_figure figure;
    figure.title = program::title_of(o);
    figure.counts = std::to_string(o.steps) + " steps";
    figure.subtitle = "dissimilar pairs (solid) and similar ones (dashed), " + o.write_site + " → " + o.read_site;
    figure.panels = {distance, logits};
    viz::write_labelled_curves(figure, out);
}
#endif

/// What is reported. Pairs of the corpus are in the order of their kinds: same last token, different ones, --pairs.
struct results {
    program::run_cost cost;
    model_texts texts;
    prompt_list prompts;
    program::pair_design others = {};  ///< those of --pairs
    program::pair_design all = {};
    std::vector<std::int64_t> kinds = {};  ///< [P]
    index groups = 0;                      ///< triples
    illustrative_results six = {};
    program::pair_curves curves = {};
    std::vector<double> output_distance = {}, corpus_distance = {};  ///< [P]

    program::pair_design of_triples() const { return {{}, 3 * groups, program::pair_design::dependence::none}; }
};

/// Chooses the pairs.
void pair_prompts(options const& o, results& r) {
    auto const count = static_cast<index>(r.prompts.size());
    r.others = program::pairs_of(o.pairs, count);
    auto const triples = corpus::last_token_triples(r.prompts, o.seed);
    r.groups = static_cast<index>(triples.size());
    r.all.prompts = count;
    auto const add = [&](std::int64_t kind, plateau::sweep::prompt_pair const& pair) {
        r.all.pairs.push_back(pair);
        r.kinds.push_back(kind);
    };
    for (auto const& t : triples) add(0, {t.context, t.same});
    for (auto const& t : triples) add(1, {t.context, t.different});
    for (auto const& pair : r.others.pairs) add(2, pair);
}

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    (void)model.require_tokenizer();
    results r{{model.computer(), load_seconds}, model, program::load_prompts(o, model, false)};
    pair_prompts(o, r);
    r.cost.points = (r.all.count() + static_cast<index>(illustrative.size())) * o.steps;
    program::point_count counted;
    counted.expect(r.cost.points);
    r.six = run_illustrative(o, model, counted);
    auto const swept = program::sweep_lines(model, r.prompts, r.all.pairs, o.steps, o.sites(), counted);
    counted.end();
    r.cost.seconds = counted.seconds;
    r.curves = program::curves_of(swept.alpha, swept.distances, o.min_d1);
    r.output_distance = output_distances(model, r.prompts, r.all);
    r.corpus_distance = corpus_distances(o, model, model.vocabulary(), r.prompts, r.all);
    return r;
}

/// What triples say: levels of both kinds, and their paired differences.
struct triple_results {
    program::interval_table levels{
        {"last token", "pairs"},
        {"max slope", "width", "d(0.4)/d(1)", "share < 1.2", "share < 1.5", "output distance"}};
    program::interval_table effects{{"same - different"}, {"median difference", "Cliff's delta", "p of mean"}, 4};
    estimate slopes[2]{};
    estimate slope_effect{nan, nan, nan, nan};
};

void add_levels(options const& o, results const& r, std::vector<double> const& at_04, triple_results& all) {
    auto const design = r.of_triples();
    for (index kind = 0; kind < 2; ++kind) {
        auto const of = [&](std::vector<double> const& values) { return part(values, kind * r.groups, r.groups); };
        auto const below = [&](double limit) {
            std::vector<double> is;
            for (double const s : of(r.curves.max_slope)) is.push_back(std::isnan(s) ? nan : s < limit ? 1 : 0);
            return design.share(is, o);
        };
        all.slopes[kind] = design.median(of(r.curves.max_slope), o);
        all.levels.row({kind == 0 ? "same" : "different", std::to_string(r.groups)},
                       {all.slopes[kind], design.median(of(r.curves.width), o), design.median(of(at_04), o), below(1.2),
                        below(1.5), design.median(of(r.output_distance), o)});
    }
}

/// Adds the row of one number's paired differences. @return Cliff's delta
estimate add_effect(options const& o, results const& r, char const* name, std::vector<double> const& values,
                    triple_results& all) {
    using both = std::array<double, 2>;
    auto const design = r.of_triples();
    std::vector<both> paired;
    std::vector<double> differences;
    for (index i = 0; i < r.groups; ++i) {
        auto const k = static_cast<std::size_t>(i);
        both const one{values[k], values[k + static_cast<std::size_t>(r.groups)]};
        if (std::isnan(one[0]) || std::isnan(one[1])) continue;  // a degenerate pair has no number
        paired.push_back(one);
        differences.push_back(one[0] - one[1]);
    }
    if (paired.size() < 2) return {nan, nan, nan, nan};
    auto const cliffs_delta = [](std::span<both const> drawn) {
        std::vector<double> x, y;
        for (auto const& [same, different] : drawn) x.push_back(same), y.push_back(different);
        return statistics::cliffs_delta(x, y);
    };
    auto const delta = design.interval(std::span<both const>{paired}, cliffs_delta, o);
    auto const p = statistics::sign_flip_test(differences, 1, statistics::mean, {.seed = o.seed}).p;
    all.effects.row({name}, {design.median(differences, o), delta, {p, nan, nan, nan}});
    return delta;
}

triple_results compare_triples(options const& o, results const& r) {
    triple_results all;
    if (r.groups < 2) return all;
    auto const at_04 = r.curves.at(0.4);
    add_levels(o, r, at_04, all);
    all.slope_effect = add_effect(o, r, "max slope", r.curves.max_slope, all);
    add_effect(o, r, "width", r.curves.width, all);
    add_effect(o, r, "d(0.4)/d(1)", at_04, all);
    return all;
}

program::interval_table correlations_of(options const& o, results const& r) {
    program::interval_table table{{"sharpness", "against", "pairs"}, {"rho"}};
    auto const of = [&](std::vector<double> const& values) { return part(values, 2 * r.groups, r.others.count()); };
    auto const correlate = [&](char const* name, std::vector<double> const& values, char const* against,
                               std::vector<double> const& distances) {
        auto const [rho, known] = correlation(r.others, of(distances), of(values), o);
        table.row({name, against, std::to_string(known)}, {rho});
    };
    correlate("max slope", r.curves.max_slope, "output distance", r.output_distance);
    correlate("width", r.curves.width, "output distance", r.output_distance);
    if (!r.corpus_distance.empty()) {
        correlate("max slope", r.curves.max_slope, "corpus distance", r.corpus_distance);
        correlate("width", r.curves.width, "corpus distance", r.corpus_distance);
    }
    return table;
}

void write_arrays(options const& o, results const& r, plateau::output_set& out) {
    auto const six = static_cast<index>(illustrative.size()), count = r.all.count();
    plateau::io::write_npy(out.file("illustrative_relative.npy"), r.six.curves.relative, {six, o.steps});
    std::vector<double> logits;
    for (auto const& curve : r.six.logits) logits.insert(logits.end(), curve.begin(), curve.end());
    plateau::io::write_npy(out.file("illustrative_logits.npy"), logits, {six, o.steps});
    plateau::io::write_npy(out.file("relative.npy"), r.curves.relative, {count, o.steps});
    for (auto const& [name, values] : {std::pair{"max_slope.npy", &r.curves.max_slope},
                                       {"alpha_jump.npy", &r.curves.alpha_jump},
                                       {"width.npy", &r.curves.width},
                                       {"output_distance.npy", &r.output_distance},
                                       {"corpus_distance.npy", &r.corpus_distance}}) {
        if (!values->empty()) plateau::io::write_npy(out.file(name), *values, {count});
    }
    plateau::io::write_npy(out.file("kinds.npy"), r.kinds, {count});
    program::write_prompts_and_pairs(out, r.prompts, r.all.numbers());
}

void run(CLI::App const& app, options const& o) {
    program::require_valid(o);
    plateau::output_set out{o.out};
    auto const r =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    auto const six = table_of(r.six, r.texts);
    auto const triples = compare_triples(o, r);
    auto const correlations = correlations_of(o, r);
    write_arrays(o, r, out);
    out.file("illustrative.csv").write(six.csv());
    out.file("last_token.csv").write(triples.levels.csv() + "\n" + triples.effects.csv());
    out.file("distances.csv").write(correlations.csv());
#if PLATEAU_HAS_CAIRO
    write_figure(o, r.six, out.file("similar_dissimilar.png").stream());
#else
    std::cerr << "similar_dissimilar.png is not drawn: this build has no cairo\n";
#endif
    auto summary = program::summary_of(app, o, r.cost);
    summary["steps"] = o.steps;
    summary["triples"] = r.groups;
    summary["pairs"] = r.others.count();
    summary["illustrative_max_slope"] = r.six.curves.max_slope;
    summary["same_max_slope_median"] = program::json_of(triples.slopes[0]);
    summary["different_max_slope_median"] = program::json_of(triples.slopes[1]);
    summary["max_slope_cliffs_delta"] = program::json_of(triples.slope_effect);
    out.file("summary.json").write(program::json_text(summary));
    out.commit();
    program::remove_stale(out, program::ragged(r.prompts), {"lengths.npy"});
    program::remove_stale(out, !o.corpus.empty(), {"corpus_distance.npy"});

    std::cout << program::title_of(o) << ": " << o.steps << " steps, " << o.write_site << " -> " << o.read_site
              << "; 95 % intervals in brackets\n\n"
              << six.render() << '\n';
    if (r.groups > 1) std::cout << triples.levels.render() << '\n' << triples.effects.render() << '\n';
    else std::cout << "no two triples of prompts that do and do not end alike: give more prompts\n\n";
    std::cout << correlations.render();
    if (r.curves.degenerate > 0) std::cout << r.curves.degenerate << " degenerate pairs are left out\n";
    program::print_places(out, "similar_dissimilar.png");
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Similar and dissimilar prompts: how sharp the way between them is, and how differently they go on.",
                 "similar_dissimilar"};
    options o;
    o.out = "similar_dissimilar.out";
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--out", o.out, "folder for the results")->capture_default_str();
    program::add_pair_options(app, o);
    program::add_site_options(app, o);
    app.add_option("--min-count", o.min_count,
                   "how often a last token has to be followed by another in the corpus, to compare what follows it")
        ->capture_default_str();
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
