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
#include <plateau/metrics/jensen_shannon.hpp>
#include <plateau/metrics/logit_difference.hpp>
#include <plateau/models/generate.hpp>
#include <plateau/statistics/correlation.hpp>
#include <plateau/statistics/effect_size.hpp>
#include <plateau/statistics/permutation_test.hpp>
#include <plateau/sweep/activations.hpp>
#include <plateau/sweep/answer_logits.hpp>
#if PLATEAU_HAS_CAIRO
#include <plateau/viz/labelled_curves.hpp>
#endif

#include "support/studies.hpp"

namespace {

using plateau::index;
using plateau::token_id;
namespace corpus = plateau::corpus;
namespace metrics = plateau::metrics;
namespace models = plateau::models;
namespace statistics = plateau::statistics;
namespace sweep = plateau::sweep;
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
double value_at(program::pair_curves const& curves, std::vector<double> const& curve, double where) {
    return metrics::value_at(curves.alpha, curve, where);
}

/// A token's text, for a table.
template <class Model>
std::string shown(Model const& model, token_id token) {
    std::string text = model.tokenizer->decode({&token, 1});
    for (char& c : text) c = c == '\n' || c == ',' ? '.' : c;
    return "'" + text + "'";
}

/// What the six pairs gave.
struct illustrative_results {
    program::pair_curves curves;
    std::vector<std::vector<double>> logits;  ///< [6][S]
    program::interval_table table{{"pair", "A ends", "B ends", "likeliest at A", "at B"},
                                  {"max slope", "alpha jump", "d(0.4)/d(1)", "width", "logits at 0.4", "logit slope"}};
};

template <class Context, class Model>
illustrative_results run_illustrative(Context const& ctx, Model const& model, options const& o, plateau::progress& bar,
                                      double& seconds) {
    models::prompt_list prompts;
    program::pair_design design;
    for (auto const& one : illustrative) {
        design.pairs.push_back({static_cast<index>(prompts.size()), static_cast<index>(prompts.size()) + 1});
        for (auto const& end : {one.a, one.b}) prompts.push_back(program::encode(model, one.beginning + end, one.name));
    }
    program::add_bos(o, model, false, prompts);
    auto const next = models::generate(ctx, model, prompts, {.max_new_tokens = 1});
    std::vector<std::vector<token_id>> answers;
    for (std::size_t i = 0; i < illustrative.size(); ++i)
        answers.push_back({next[2 * i].tokens[0], next[2 * i + 1].tokens[0]});
    sweep::answer_logits<Context, Model> logits{ctx, model, answers, o.steps};
    auto const curves =
        program::sweep_lines(ctx, model, prompts, design, o, o.write_site, o.read_site, bar, seconds, logits.reads());
    illustrative_results r;
    r.curves = program::measure(curves.alpha, curves.distances, o.min_d1);
    for (std::size_t i = 0; i < illustrative.size(); ++i) {
        auto const p = static_cast<index>(i);
        r.logits.push_back(metrics::normalised_logit_difference(logits.of(p, 0), logits.of(p, 1)));
        auto const single = [](double x) { return estimate{x, nan, nan, nan}; };  // one pair has no interval
        r.table.row({illustrative[i].name, "'" + illustrative[i].a + "'", "'" + illustrative[i].b + "'",
                     shown(model, answers[i][0]), shown(model, answers[i][1])},
                    {single(r.curves.max_slope[i]), single(r.curves.alpha_jump[i]), single(r.curves.at(0.4)[i]),
                     single(r.curves.width[i]), single(value_at(r.curves, r.logits[i], 0.4)),
                     single(metrics::max_slope(r.logits[i]).value)});
    }
    return r;
}

/// Distances of what two prompts call for next.
struct prediction_distances {
    std::vector<double> output, text;  ///< [P]; `text` is empty without a corpus
};

template <class Context, class Model>
prediction_distances distances_of(Context const& ctx, Model const& model, options const& o,
                                  models::prompt_list const& prompts, program::pair_design const& design) {
    using T = typename Model::value_type;
    program::require_memory(static_cast<index>(prompts.size()), model.vocabulary() * index{sizeof(T)},
                            "the logits of " + std::to_string(prompts.size()) + " prompts", "ask for fewer prompts");
    auto const logits =
        sweep::last_activations(ctx, model, prompts, model.logit_cap > 0 ? "hook_logits" : "unembed.hook_out");
    prediction_distances all;
    for (auto const& pair : design.pairs) {
        all.output.push_back(
            metrics::jensen_shannon_of_logits<T>(logits[pair.context].flat(), logits[pair.other].flat()));
    }
    if (o.corpus.empty()) return all;
    corpus::following_tokens const following{program::encode(model, plateau::io::read_text(o.corpus), o.corpus)};
    for (auto const& pair : design.pairs) {
        token_id const a = prompts[static_cast<std::size_t>(pair.context)].back(),
                       b = prompts[static_cast<std::size_t>(pair.other)].back();
        bool const known = std::min(following.count(a), following.count(b)) >= o.min_count;
        auto const next = [&](token_id token) { return following.distribution(token, model.vocabulary()); };
        all.text.push_back(known ? metrics::jensen_shannon_distance(next(a), next(b)) : nan);
    }
    return all;
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

void run(CLI::App const& app, options const& o) {
    program::require_valid(o);
    plateau::output_set out{o.out};
    program::with_model(o, [&](auto const& ctx, auto const& model, double load_seconds) {
        (void)model.require_tokenizer();
        auto const prompts = program::load_prompts(o, model, false);
        auto const others = program::pairs_of(o.pairs, static_cast<index>(prompts.size()));
        auto const triples = corpus::last_token_triples(prompts, o.seed);
        auto const groups = static_cast<index>(triples.size());
        program::pair_design all{{}, static_cast<index>(prompts.size()), {}};
        program::pair_design const of_triples{{}, 3 * groups, program::pair_design::dependence::none};
        std::vector<std::int64_t> kinds;
        for (auto const& t : triples) all.pairs.push_back({t.context, t.same}), kinds.push_back(0);
        for (auto const& t : triples) all.pairs.push_back({t.context, t.different}), kinds.push_back(1);
        for (auto const& pair : others.pairs) all.pairs.push_back(pair), kinds.push_back(2);
        index const count = all.count(), points = (count + static_cast<index>(illustrative.size())) * o.steps;

        double seconds = 0;
        std::optional<plateau::progress> bar{std::in_place, "points", points};
        auto const six = run_illustrative(ctx, model, o, *bar, seconds);
        auto const swept = program::sweep_lines(ctx, model, prompts, all, o, o.write_site, o.read_site, *bar, seconds);
        bar.reset();  // its line ends before the table begins
        auto const curves = program::measure(swept.alpha, swept.distances, o.min_d1);
        auto const apart = distances_of(ctx, model, o, prompts, all);

        program::interval_table levels{
            {"last token", "pairs"},
            {"max slope", "width", "d(0.4)/d(1)", "share < 1.2", "share < 1.5", "output distance"}};
        program::interval_table effects{{"same - different"}, {"median difference", "Cliff's delta", "p of mean"}, 4};
        estimate slopes[2]{}, slope_effect{nan, nan, nan, nan};
        if (groups > 1) {
            auto const at_04 = curves.at(0.4);
            for (index kind = 0; kind < 2; ++kind) {
                auto const of = [&](std::vector<double> const& values) { return part(values, kind * groups, groups); };
                auto const below = [&](double limit) {
                    std::vector<double> is;
                    for (double const s : of(curves.max_slope)) is.push_back(std::isnan(s) ? nan : s < limit ? 1 : 0);
                    return of_triples.share(is, o);
                };
                slopes[kind] = of_triples.median(of(curves.max_slope), o);
                levels.row({kind == 0 ? "same" : "different", std::to_string(groups)},
                           {slopes[kind], of_triples.median(of(curves.width), o), of_triples.median(of(at_04), o),
                            below(1.2), below(1.5), of_triples.median(of(apart.output), o)});
            }
            auto const effect = [&](char const* name, std::vector<double> const& values) {
                using both = std::array<double, 2>;
                std::vector<both> paired;
                std::vector<double> differences;
                for (index i = 0; i < groups; ++i) {
                    auto const k = static_cast<std::size_t>(i);
                    both const one{values[k], values[k + static_cast<std::size_t>(groups)]};
                    if (std::isnan(one[0]) || std::isnan(one[1])) continue;  // a degenerate pair has no number
                    paired.push_back(one);
                    differences.push_back(one[0] - one[1]);
                }
                if (paired.size() < 2) return estimate{nan, nan, nan, nan};
                auto const delta = of_triples.interval(
                    std::span<both const>{paired},
                    [](std::span<both const> drawn) {
                    std::vector<double> x, y;
                    for (auto const& [same, different] : drawn) x.push_back(same), y.push_back(different);
                    return statistics::cliffs_delta(x, y);
                    },
                    o);
                auto const p = statistics::sign_flip_test(differences, 1, statistics::mean, {.seed = o.seed}).p;
                effects.row({name}, {of_triples.median(differences, o), delta, {p, nan, nan, nan}});
                return delta;
            };
            slope_effect = effect("max slope", curves.max_slope);
            effect("width", curves.width);
            effect("d(0.4)/d(1)", at_04);
        }
        program::interval_table correlations{{"sharpness", "against", "pairs"}, {"rho"}};
        auto const correlate = [&](char const* name, std::vector<double> const& values, char const* against,
                                   std::vector<double> const& distances) {
            auto const [rho, known] = correlation(others, part(distances, 2 * groups, others.count()),
                                                  part(values, 2 * groups, others.count()), o);
            correlations.row({name, against, std::to_string(known)}, {rho});
        };
        correlate("max slope", curves.max_slope, "output distance", apart.output);
        correlate("width", curves.width, "output distance", apart.output);
        if (!apart.text.empty()) {
            correlate("max slope", curves.max_slope, "corpus distance", apart.text);
            correlate("width", curves.width, "corpus distance", apart.text);
        }

        plateau::io::write_npy(out.file("illustrative_relative.npy"), six.curves.relative,
                               {static_cast<index>(illustrative.size()), o.steps});
        std::vector<double> logits;
        for (auto const& curve : six.logits) logits.insert(logits.end(), curve.begin(), curve.end());
        plateau::io::write_npy(out.file("illustrative_logits.npy"), logits,
                               {static_cast<index>(illustrative.size()), o.steps});
        plateau::io::write_npy(out.file("relative.npy"), curves.relative, {count, o.steps});
        for (auto const& [name, values] : {std::pair{"max_slope.npy", &curves.max_slope},
                                           {"alpha_jump.npy", &curves.alpha_jump},
                                           {"width.npy", &curves.width},
                                           {"output_distance.npy", &apart.output},
                                           {"corpus_distance.npy", &apart.text}}) {
            if (!values->empty()) plateau::io::write_npy(out.file(name), *values, {count});
        }
        plateau::io::write_npy(out.file("kinds.npy"), kinds, {count});
        program::write_prompts_and_pairs(out, prompts, all.numbers());
        out.file("illustrative.csv").write(six.table.csv());
        out.file("last_token.csv").write(levels.csv() + "\n" + effects.csv());
        out.file("distances.csv").write(correlations.csv());
#if PLATEAU_HAS_CAIRO
        write_figure(o, six, out.file("similar_dissimilar.png").stream());
#else
        std::cerr << "similar_dissimilar.png is not drawn: this build has no cairo\n";
#endif
        auto summary = program::summary_of(app, o, program::computer_of(ctx), load_seconds, seconds, points);
        summary["steps"] = o.steps;
        summary["triples"] = groups;
        summary["pairs"] = others.count();
        summary["illustrative_max_slope"] = six.curves.max_slope;
        summary["same_max_slope_median"] = program::json_of(slopes[0]);
        summary["different_max_slope_median"] = program::json_of(slopes[1]);
        summary["max_slope_cliffs_delta"] = program::json_of(slope_effect);
        out.file("summary.json").write(program::json_text(summary));
        out.commit();
        program::remove_stale(out, program::ragged(prompts), {"lengths.npy"});
        program::remove_stale(out, !o.corpus.empty(), {"corpus_distance.npy"});

        std::cout << program::title_of(o) << ": " << o.steps << " steps, " << o.write_site << " -> " << o.read_site
                  << "; 95 % intervals in brackets\n\n"
                  << six.table.render() << '\n';
        if (groups > 1) std::cout << levels.render() << '\n' << effects.render() << '\n';
        else std::cout << "no two triples of prompts that do and do not end alike: give more prompts\n\n";
        std::cout << correlations.render();
        if (curves.degenerate > 0) std::cout << curves.degenerate << " degenerate pairs are left out\n";
        program::print_places(out, "similar_dissimilar.png");
    });
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
