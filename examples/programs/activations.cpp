// Activations of any hook point, under TransformerLens' names, as NPZ.
//
//     activations --prompts prompts.txt --sites "blocks.*.hook_resid_post,unembed.hook_out" --out activations.npz
//     activations --list

#include <plateau/hooks/activation_cache.hpp>
#include <plateau/io/npz.hpp>
#include <plateau/program/lists.hpp>
#include <plateau/program/prompts.hpp>
#include <plateau/program/study.hpp>

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
    for (auto pattern : program::split(list)) {
        std::erase(pattern, ' ');
        if (!pattern.empty()) patterns.push_back(pattern);
    }
    if (patterns.empty()) throw usage_error("--sites names no hook point; `activations --list` prints all of them");
    return patterns;
}

/// Bytes of a site's array. @throws memory_error if this machine cannot hold them
index bytes_of(hooks::site const& site, std::vector<index> const& shape, index element) {
    index bytes = element;
    for (index extent : shape) {
        program::require_memory(extent, bytes, "the values of " + site.name(),
                                "give fewer or shorter prompts at a time");
        bytes *= extent;
    }
    return bytes;
}

/// Runs the prompts and adds the array of every site. An array is written as a whole, so as many sites as fit into
/// memory share one run.
template <class T>
void add_activations(model<T> const& model, prompt_list const& prompts, std::vector<hooks::site> const& sites,
                     io::npz_writer& npz) {
    progress bar{"sites", static_cast<index>(sites.size())};
    constexpr index budget = index{4} << 30;
    auto const lengths = program::lengths_of(prompts);
    auto const shape_of = [&](hooks::site const& site) {
        return hooks::cached_array<T>::shape_of(site, static_cast<index>(prompts.size()), program::longest_of(prompts));
    };
    for (auto next = sites.begin(); next != sites.end();) {
        std::vector<hooks::site> some;
        for (index bytes = 0; next != sites.end(); ++next) {
            bytes += bytes_of(*next, shape_of(*next), sizeof(T));
            if (!some.empty() && bytes > budget) break;
            some.push_back(*next);
        }
        hooks::activation_cache<T> cache{some, {lengths.begin(), lengths.end()}};
        model.run(prompts, cache.fills());
        for (auto const& array : cache) {
            npz.add(array->at().name(), array->values(), array->shape());
            bar.advance();
        }
    }
}

void print_list(std::vector<hooks::site> const& sites) {
    for (auto const& site : sites) std::cout << site.name() << '\t' << site.shape() << '\n';
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
    add_activations(model, prompts, sites, npz);
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
    for (auto const& site : written.sites) table.row({site.name(), site.shape()});
    std::cout << table.render() << written.prompts << " prompts, written to " << o.out << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    program::study study{"activations",
                         "Activations of any hook point as NPZ, under TransformerLens' names and shapes.", leaves};
    options o;
    program::add_model_options(study.app, o);
    program::add_prompt_options(study.app, o);
    study.app.add_option("--sites", o.sites, "hook points, comma-separated; * any characters, ? one");
    study.app.add_option("--out", o.out, "the NPZ file to write");
    study.app.add_flag("--list", o.list, "print every hook point of the model and its shape, and stop");
    return study.run(argc, argv, [&] { run(o); });
}
