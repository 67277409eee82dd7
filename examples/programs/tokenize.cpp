// The token ids of texts, as a model's tokenizer gives them.
//
//     tokenize --model SmolLM2-135M-Instruct.Q4_1.gguf --text "The cat sat"
//     tokenize --model gpt2 --file novel.txt --pieces

#include <fstream>
#include <iterator>

#include <plateau/io/config/fields.hpp>
#include <plateau/io/json_reader.hpp>
#include <plateau/io/text_file.hpp>
#include <plateau/io/tokenizer.hpp>
#include <plateau/io/utf8.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/program/study.hpp>

namespace {

using namespace plateau;

program::manifest const leaves{
    .axes = "",
    .files = {},
    .notes = {"To stdout go the ids of a text on one line, separated by spaces; of an empty text an empty line. With "
              "--pieces every token has a line: its id, a tab, and the text that it stands for in the middle of a text "
              "(line feeds, tabs, carriage returns and backslashes as \\n, \\t, \\r and \\\\; bytes that are no UTF-8 "
              "as U+FFFD).",
              "Only the tokenizer of the model is read: a folder needs tokenizer.json alone (or vocab.json and "
              "merges.txt), a GGUF file its vocabulary alone.",
              "BOS: as the published tokenizer does, unless --bos says otherwise. A file of --prompts loses a UTF-8 "
              "byte order mark and the \\r of \\r\\n, --file loses nothing."},
    .where = "No file is written"};

struct options : program::common_options {
    std::optional<std::string> text, file;
    bool pieces = false;
};

struct named_text {
    std::string text, where;
};

/// All bytes of a file, or of a pipe. @throws file_error with the command that converts UTF-16 and UTF-32
std::string bytes_of(std::string const& path) {
    std::error_code ignored;
    std::string text;
    if (std::filesystem::is_fifo(path, ignored)) {
        std::ifstream pipe{path, std::ios::binary};
        text.assign(std::istreambuf_iterator<char>{pipe}, {});
    } else {
        text = io::read_text(path);
    }
    io::without_byte_order_mark(text, path);
    return text;
}

std::vector<named_text> texts_of(options const& o) {
    if (o.text) return {{*o.text, "--text"}};
    if (o.file) return {{bytes_of(*o.file), *o.file}};
    std::vector<named_text> texts;
    for (auto& line : io::read_lines(o.prompts))
        texts.push_back({std::move(line), concat({o.prompts, ": line ", texts.size() + 1})});
    return texts;
}

/// The text of a token on one line.
std::string shown(std::string const& text) {
    std::string line;
    for (char const c : io::mended_utf8(text)) {
        if (c == '\n') line += "\\n";
        else if (c == '\t') line += "\\t";
        else if (c == '\r') line += "\\r";
        else if (c == '\\') line += "\\\\";
        else line += c;
    }
    return line;
}

/// The tokenizer, and what the configuration says of BOS, for folders whose tokenizer says nothing.
models::model_texts texts_of_model(std::filesystem::path const& path) {
    models::model_texts model;
    model.tokenizer = shared<io::tokenizer const>(io::tokenizer::of_model(path));
    auto const config = path / "config.json";
    if (!std::filesystem::exists(config)) return model;
    auto const document = io::parse_json(io::read_text(config), config.string());
    model.config.bos = io::config::parse_token_ids(document.root(), "bos_token_id", std::nullopt, config.string());
    return model;
}

void run(options const& o) {
    if (!o.text && !o.file && o.prompts.empty())
        throw usage_error("give --text, --file or --prompts: what to make tokens of");
    if (o.model.empty())
        throw usage_error(
            "--model is required: this program was built without a model of its own, or an empty path was given");
    auto const model = texts_of_model(o.model);
    auto const& tokenizer = *model.tokenizer;
    if (!tokenizer.notice().empty()) std::cerr << tokenizer.notice() << '\n';
    prompt_list all;
    for (auto const& [text, where] : texts_of(o)) all.push_back(program::encode(model, text, where));
    program::add_bos(o, model, tokenizer.adds_bos(), all);
    std::string lines;
    for (auto const& ids : all) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            if (o.pieces) lines += std::to_string(ids[i]) + '\t' + shown(tokenizer.token_text(ids[i])) + '\n';
            else lines += (i > 0 ? " " : "") + std::to_string(ids[i]);
        }
        if (!o.pieces) lines += '\n';
    }
    std::cout << lines;
    if (!std::cout.flush()) throw file_error("cannot write the ids to stdout; give it another place");
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"tokenize", "The token ids of texts, as a model's tokenizer gives them.", leaves};
    options o;
    auto& app = study.app;
    app.set_version(PLATEAU_VERSION);
    o.model = program::embedded_model();
    program::add_option(app, "--model", &o.model,
                        "a Hugging Face folder, a snapshot folder of its cache, or a GGUF file; no weights are needed");
    auto const text = app.add_option("--text", &o.text, "the text");
    auto const file = app.add_option("--file", &o.file, "the text: all bytes of a UTF-8 file or pipe").excludes(text);
    app.add_option("--prompts", &o.prompts, "texts: UTF-8, one a line").excludes(text).excludes(file);
    program::add_bos_option(app, o, "every text");
    app.add_flag("--pieces", o.pieces, "one token a line, with its text");
    return study.run(argc, argv, [&] { run(o); });
}
