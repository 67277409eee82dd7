// Activations of any hook point, under TransformerLens' names, as NPZ.
//
//     activations --prompts prompts.txt --sites "blocks.*.hook_resid_post,unembed.hook_out" --out activations.npz
//     activations --list

#include <plateau/core/split.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/program/study.hpp>
#include <plateau/sweep/activations_npz.hpp>

namespace {

using namespace plateau;
using plateau::index;

program::manifest const leaves{
    .axes = "N prompts, T the longest of them",
    .files = {{"SITE", "float32 [N,T,...]",
               "every hook point under its full name (float64 with --dtype fp64), with the shape that --list prints; "
               "attn_scores and pattern are [N,H,T,T], masked scores -inf; NaN beyond a prompt's length. Unit: that of "
               "the activation"},
              {"tokens", "int64 [N,T]", "-1 beyond a shorter prompt"},
              {"lengths", "int64 [N]", "tokens of each prompt", "if lengths differ"}},
    .notes = {"Prompts: without --tokens, --prompts or --corpus those of the embedded model. BOS: as the published "
              "tokenizer does for --prompts, none for the others, unless --bos says otherwise."},
    .where = "Arrays of the NPZ file written to --out"};

struct options : program::common_options {
    std::string sites;
    bool list = false;
};

/// The patterns of a comma-separated list. @throws usage_error if there is none
std::vector<std::string> patterns_of(std::string const& list) {
    std::vector<std::string> patterns;
    for (auto pattern : split(list)) {
        std::erase(pattern, ' ');
        if (!pattern.empty()) patterns.push_back(pattern);
    }
    if (patterns.empty()) throw usage_error("--sites names no hook point; `activations --list` prints all of them");
    return patterns;
}

void print_list(std::vector<hooks::site> const& sites) {
    for (auto const& site : sites) std::cout << site.name() << '\t' << site.shape_text() << '\n';
    if (!std::cout.flush()) throw file_error("cannot write the list to stdout; give it another place");
}

/// What was written.
struct results {
    std::vector<hooks::site> sites;
    index prompts = 0;
};

template <class T>
results write_activations(options const& o, model<T> const& model) {
    auto const sites = hooks::selected_sites(model.sites(), patterns_of(o.sites));
    auto const prompts = program::load_prompts(o, model, true);
    auto const count = static_cast<index>(prompts.size());
    index const longest = program::longest_of(prompts);

    atomic_file file{o.out};
    io::npz_writer npz{file};
    npz.add("tokens", program::padded_tokens(prompts, longest), {count, longest});
    if (program::ragged(prompts)) npz.add("lengths", program::lengths_of(prompts), {count});
    progress bar{"sites", static_cast<index>(sites.size())};
    sweep::add_activations(model, prompts, sites, npz, [&](index done) { bar.advance(done); });
    npz.close();
    file.commit();
    return {sites, count};
}

void run(options const& o) {
    if (!o.list && o.sites.empty()) throw usage_error("--sites is required, unless --list is given");
    if (!o.list && o.out.empty()) throw usage_error("--out is required: the NPZ file to write");
    auto const written = program::with_model(o, [&]<class T>(model<T> const& model, double) {
        if (!o.list) return write_activations(o, model);
        print_list(model.sites());
        return results{};
    });
    if (o.list) return;

    table table{{"array", "shape"}};
    for (auto const& site : written.sites) table.row({site.name(), site.shape_text()});
    std::cout << table.render() << written.prompts << " prompts, written to " << o.out << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"activations",
                         "Activations of any hook point as NPZ, under TransformerLens' names and shapes.", leaves};
    options o;
    program::add_model_options(study.app, o);
    program::add_prompt_options(study.app, o);
    study.app.add_option("--sites", &o.sites, "hook points, comma-separated; * any characters, ? one");
    study.app.add_option("--out", &o.out, "the NPZ file to write");
    study.app.add_flag("--list", o.list, "print every hook point of the model and its shape, and stop");
    return study.run(argc, argv, [&] { run(o); });
}
