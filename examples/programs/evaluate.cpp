// How well a model predicts a text: cross-entropy and perplexity.
//
//     evaluate --model SmolLM2-135M-Instruct.Q4_1.gguf --text novel.txt --out results

#include <cmath>
#include <limits>

#include <plateau/corpus/text_windows.hpp>
#include <plateau/engine/read/token_losses.hpp>

#include "support/program.hpp"

namespace {

using plateau::index;
namespace corpus = plateau::corpus;
using program::prompt_list;

constexpr char const* files_text =
    "What is scored: windows of --length tokens run, one every --stride. A token counts in the first window that holds "
    "it,\n"
    "unless it begins that window and so has nothing before it. With the default stride, the length, windows follow "
    "each\n"
    "other, and the result is transformers' `model(ids, labels=ids).loss` of every window, weighted by its predicted "
    "tokens.\n"
    "With a smaller stride every token but the text's first counts, given at least length - stride tokens.\n"
    "Files written to --out, if it is given (N texts, T tokens of the longest):\n"
    "  losses.npy    float64 [N,T]  -log p(token | those before it in its window); nats; NaN where a token does not "
    "count\n"
    "  tokens.npy    int64   [N,T]  token ids, -1 beyond a shorter text\n"
    "  lengths.npy   int64   [N]    tokens of each text; only if lengths differ\n"
    "  summary.json  one object     program, version, model, dtype, backend, instruction_set, threads, seed, seconds,\n"
    "                load_seconds, points_per_second (tokens run), options, cross_entropy (nats per token that "
    "counts),\n"
    "                perplexity (its exponential), tokens (that count), texts, text_tokens (all), windows, length, "
    "stride;\n"
    "                seconds of computing and of loading\n"
    "BOS begins a text, not every window: as the published tokenizer does for --text, none for --tokens, unless --bos "
    "says\n"
    "otherwise. Memory grows with the text and the window, not with the vocabulary.";

struct options : program::common_options {
    std::string text;
    index stride = 0;
};

prompt_list texts_of(options const& o, program::model_texts const& model) {
    bool const text = o.tokens.empty();
    auto texts = text ? prompt_list{program::encode(model, plateau::io::read_text(o.text), o.text)}
                      : program::read_tokens(o.tokens, true);
    program::add_bos(o, model, text && model.require_tokenizer().adds_bos(), texts);
    return texts;
}

/// The mean of what is a number. @param count  how many are
double mean_of(std::vector<double> const& losses, index& count) {
    double sum = 0;
    count = 0;
    for (double const loss : losses) {
        if (std::isnan(loss)) continue;
        sum += loss;
        ++count;
    }
    return sum / static_cast<double>(count);
}

/// Texts cut into windows, each a prompt; what counts of it goes to its place in [N,T].
struct cut_texts {
    index length = 0, stride = 0, text_tokens = 0, run_tokens = 0;
    prompt_list texts, prompts = {};
    std::vector<corpus::text_window> windows = {};
    std::vector<std::size_t> places = {};  ///< of each window's first token
};

/// @throws usage_error if there is nothing to predict
void cut(cut_texts& all) {
    auto const longest = static_cast<std::size_t>(program::longest_of(all.texts));
    for (std::size_t i = 0; i < all.texts.size(); ++i) {
        auto const& text = all.texts[i];
        all.text_tokens += static_cast<index>(text.size());
        for (auto const& window : corpus::text_windows(static_cast<index>(text.size()), all.length, all.stride)) {
            all.prompts.emplace_back(text.begin() + window.begin, text.begin() + window.end);
            all.windows.push_back(window);
            all.places.push_back(i * longest + static_cast<std::size_t>(window.begin));
            all.run_tokens += window.end - window.begin;
        }
    }
    if (all.prompts.empty()) throw plateau::usage_error("there is nothing to predict: a text needs 2 tokens or more");
}

/// What is reported.
struct results {
    program::run_cost cost;
    cut_texts cut;
    std::vector<std::vector<double>> by_window;

    /// [N,T], NaN where a token does not count.
    std::vector<double> losses() const {
        std::vector<double> all(cut.texts.size() * static_cast<std::size_t>(program::longest_of(cut.texts)),
                                std::numeric_limits<double>::quiet_NaN());
        for (std::size_t w = 0; w < cut.windows.size(); ++w) {
            auto const& window = cut.windows[w];
            for (index t = window.scored - window.begin; t < window.end - window.begin; ++t) {
                all[cut.places[w] + static_cast<std::size_t>(t)] = by_window[w][static_cast<std::size_t>(t) - 1];
            }
        }
        return all;
    }
};

template <class T>
results measure(options const& o, plateau::model<T> const& model, double load_seconds) {
    index const context = model.context_length(), length = o.length > 0 ? o.length : context;
    if (length > context) {
        throw plateau::usage_error("--length " + std::to_string(length) + ": the model's context ends at " +
                                   std::to_string(context) + " tokens");
    }
    cut_texts all{.length = length, .stride = o.stride > 0 ? o.stride : length, .texts = {}};
    corpus::text_windows(0, all.length, all.stride);  // throws if they make no sense
    all.texts = texts_of(o, model);
    plateau::engine::require_prompts(all.texts, model.engine().facts().tokens, std::numeric_limits<index>::max());
    cut(all);
    program::stopwatch const watch;
    auto by_window = [&] {
        plateau::progress bar{"tokens", all.run_tokens};
        return plateau::engine::token_losses(model.engine(), all.prompts, {},
                                             [&](index tokens) { bar.advance(tokens); });
    }();
    return {{model.computer(), load_seconds, watch.seconds(), all.run_tokens}, std::move(all), std::move(by_window)};
}

void run(CLI::App const& app, options const& o) {
    if (o.text.empty() && o.tokens.empty())
        throw plateau::usage_error("--text is required: the text to predict; or --tokens");
    std::optional<plateau::output_set> out;
    if (!o.out.empty()) out.emplace(o.out);
    auto const found =
        program::with_model(o, [&](auto const& model, double load_seconds) { return measure(o, model, load_seconds); });

    auto const& [length, stride, text_tokens, run_tokens, texts, prompts, windows, places] = found.cut;
    auto const losses = found.losses();
    index scored = 0;
    double const cross_entropy = mean_of(losses, scored), perplexity = std::exp(cross_entropy);
    if (out) {
        auto const count = static_cast<index>(texts.size());
        plateau::io::write_npy(out->file("losses.npy"), losses, {count, program::longest_of(texts)});
        program::write_prompts(*out, texts);
        auto summary = program::summary_of(app, o, found.cost);
        summary["cross_entropy"] = cross_entropy;
        summary["perplexity"] = perplexity;
        summary["tokens"] = scored;
        summary["texts"] = count;
        summary["text_tokens"] = text_tokens;
        summary["windows"] = windows.size();
        summary["length"] = length;
        summary["stride"] = stride;
        out->file("summary.json").write(program::json_text(summary));
        out->commit();
        program::remove_stale(*out, program::ragged(texts), {"lengths.npy"});
    }
    plateau::table table{{"", "value"}};
    table.row({"cross-entropy (nats/token)", plateau::fixed(cross_entropy, 6)});
    table.row({"perplexity", plateau::fixed(perplexity, 3)});
    table.row({"tokens that count", std::to_string(scored)});
    table.row({"tokens of the text", std::to_string(text_tokens)});
    table.row({"windows", std::to_string(windows.size())});
    std::cout << o.model << program::weights_of(o) << ": " << (o.tokens.empty() ? o.text : o.tokens) << ", windows of "
              << length << " tokens, one every " << stride << '\n'
              << table.render() << plateau::fixed(found.cost.points_per_second(), 0) << " tokens per second\n";
    if (out) std::cout << "written to " << o.out << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"How well a model predicts a text: cross-entropy and perplexity.", "evaluate"};
    options o;
    o.length = 0;
    program::add_model_options(app, o);
    auto* const text = app.add_option("--text", o.text, "the text: a UTF-8 file");
    app.add_option("--tokens", o.tokens, "texts as token ids: NPY, int32 or int64 [T] or [N,T]")->excludes(text);
    app.add_option("--bos", o.bos, "begin a text with the beginning-of-text token (default: see below)")
        ->check(CLI::IsMember({"on", "off"}));
    app.add_option("--length", o.length, "tokens of a window; by default the model's context")
        ->check(CLI::PositiveNumber);
    app.add_option("--stride", o.stride, "tokens from window to window; by default --length")
        ->check(CLI::PositiveNumber);
    app.add_option("--out", o.out, "also leave losses and a summary in this folder");
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
