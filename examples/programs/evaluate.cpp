// How well a model predicts a text: cross-entropy and perplexity.
//
//     evaluate --model SmolLM2-135M-Instruct.Q4_1.gguf --text novel.txt --out results

#include <cmath>
#include <limits>

#include <plateau/program/prompts.hpp>
#include <plateau/program/study.hpp>
#include <plateau/statistics/summaries.hpp>
#include <plateau/sweep/text_losses.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes = "N texts, T tokens of the longest",
    .files = {{"losses.npy", "float64 [N,T]",
               "-log p(token | those before it in its window); nats; NaN where a token does not count"},
              program::tokens_file,
              program::lengths_file},
    .summary =
        "cross_entropy (nats per token that counts), perplexity (its exponential), tokens (that count), texts, "
        "text_tokens (all), windows, length, stride; points_per_second counts tokens run",
    .notes = {"What is scored: windows of --length tokens run, one every --stride. A token counts in the first window "
              "that holds it, unless it begins that window and so has nothing before it. With the default stride, the "
              "length, windows follow each other, and the result is transformers' `model(ids, labels=ids).loss` of "
              "every window, weighted by its predicted tokens. With a smaller stride every token but the text's first "
              "counts, given at least length - stride tokens.",
              "BOS begins a text, not every window: as the published tokenizer does for --text, none for --tokens, "
              "unless --bos says otherwise. Memory grows with the text and the window, not with the vocabulary."},
    .where = "Files written to --out, if it is given"};

struct options : program::common_options {
    std::string text;
    index stride = 0;
};

prompt_list texts_of(options const& o, models::model_texts const& model) {
    bool const text = o.tokens.empty();
    auto texts = text ? prompt_list{program::encode_file(model, o.text)} : program::tokens_of(o, model, true);
    if (text && texts[0].empty()) throw usage_error(o.text, ": the file is empty: there is nothing to predict");
    program::add_bos(o, model, text && model.require_tokenizer().adds_bos(), texts);
    return texts;
}

struct results {
    sweep::cut_texts cut;
    std::vector<double> losses;
};

template <class T>
results measure(options const& o, model<T> const& model, program::meter& meter) {
    index const context = model.context_length(), length = o.length > 0 ? o.length : model.config.context,
                stride = o.stride > 0 ? o.stride : length;
    if (length > context) throw usage_error("--length ", length, ": the model's context ends at ", context, " tokens");
    corpus::text_windows(0, length, stride);  // throws if they make no sense
    auto texts = texts_of(o, model);
    engine::require_prompts(texts, model.engine().facts().tokens, std::numeric_limits<index>::max());
    auto cut = sweep::cut(std::move(texts), length, stride);
    meter.points = cut.run_tokens;
    meter.show(meter.points, "tokens");
    auto losses = meter.timed([&] { return sweep::text_losses(model, cut, meter.counter()); });
    return {std::move(cut), std::move(losses)};
}

void run(program::study& study, options const& o) {
    if (o.text.empty() && o.tokens.empty()) throw usage_error("--text is required: the text to predict; or --tokens");
    auto const [all, losses] =
        study.measure(o, [&]<class T>(model<T> const& model) { return measure(o, model, study.meter); });
    auto const scored = std::ranges::count_if(losses, [](double loss) { return !std::isnan(loss); });
    double const cross_entropy = statistics::mean(losses), perplexity = std::exp(cross_entropy);
    table table{{"", "value"}};
    table.row({"cross-entropy (nats/token)", fixed(cross_entropy, 6)});
    table.row({"perplexity", fixed(perplexity, 3)});
    table.row({"tokens that count", std::to_string(scored)});
    table.row({"tokens of the text", std::to_string(all.text_tokens)});
    table.row({"windows", std::to_string(all.windows.size())});
    auto const heading = concat({program::model_text(o), ": ", o.tokens.empty() ? o.text : o.tokens, ", windows of ",
                                 all.length, " tokens, one every ", all.stride});
    auto const body = table.render() + study.rate("tokens");
    if (study.writes()) {
        program::write_prompts(study.out(), all.texts);
        study.out().array("losses.npy", losses);
        study.summary = {{"cross_entropy", cross_entropy},
                         {"perplexity", perplexity},
                         {"tokens", scored},
                         {"texts", all.texts.size()},
                         {"text_tokens", all.text_tokens},
                         {"windows", all.windows.size()},
                         {"length", all.length},
                         {"stride", all.stride}};
        study.publish(o, heading, body);
    }
    std::cout << heading << '\n' << body;
    if (study.writes()) std::cout << "written to " << o.out << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"evaluate", "How well a model predicts a text: cross-entropy and perplexity.", leaves};
    options o;
    o.length = 0;
    auto& app = study.app;
    program::add_model_options(app, o);
    auto const text = app.add_option("--text", &o.text, "the text: a UTF-8 file");
    app.add_option("--tokens", &o.tokens, "texts as token ids: NPY, int32 or int64 [T] or [N,T]").excludes(text);
    program::add_bos_option(app, o, "a text");
    app.add_option("--length", &o.length, "tokens of a window; by default the model's context").positive();
    app.add_option("--stride", &o.stride, "tokens from window to window; by default --length").positive();
    app.add_option("--out", &o.out, "also leave losses and a summary in this folder");
    study.add_report_option();
    return study.run(argc, argv, [&] { run(study, o); });
}
