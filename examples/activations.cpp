// Activations of any hook point, under TransformerLens' names, as NPZ.
//
//     activations --prompts prompts.txt --sites "blocks.*.hook_resid_post,unembed.hook_out" --out activations.npz
//     activations --list

#include <limits>
#include <sstream>

#include <plateau/io/npz.hpp>
#include <plateau/models/forward.hpp>

#include "support/program.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;

constexpr char const* files_text =
    "File written to --out (N prompts, T the longest of them):\n"
    "  one array per hook point under its full name, float32 (float64 with --dtype fp64), with the shape that\n"
    "  --list prints; attn_scores and pattern are [N,H,T,T], masked scores -inf. Unit: that of the activation.\n"
    "  tokens   int64 [N,T]  -1 beyond a shorter prompt\n"
    "  lengths  int64 [N]    if lengths differ; floats are NaN beyond a prompt's length\n"
    "Prompts: without --tokens, --prompts or --corpus those of the embedded model. BOS: as the published tokenizer\n"
    "does for --prompts, none for the others, unless --bos says otherwise.";

struct options : program::common_options {
    std::string sites;
    bool list = false;
};

/// The sites that a comma-separated list of patterns names, in firing order.
std::vector<hooks::site> chosen_sites(std::vector<hooks::site> const& all, std::string const& patterns) {
    std::vector<std::string> wanted;
    std::istringstream parts{patterns};
    for (std::string pattern; std::getline(parts, pattern, ',');) {
        std::erase(pattern, ' ');
        if (pattern.empty()) continue;
        hooks::matching_sites(all, pattern);  // throws if there is none
        wanted.push_back(pattern);
    }
    if (wanted.empty())
        throw plateau::usage_error("--sites names no hook point; `activations --list` prints all of them");
    std::vector<hooks::site> chosen;
    for (auto const& site : all) {
        bool const named =
            std::any_of(wanted.begin(), wanted.end(), [&](auto const& pattern) { return hooks::means(pattern, site); });
        if (named) chosen.push_back(site);
    }
    return chosen;
}

/// Shape of a site's array.
std::vector<index> shape_of(hooks::site const& site, index prompts, index longest) {
    switch (site.axes) {
        case hooks::site_axes::heads: return {prompts, longest, site.heads, site.width};
        case hooks::site_axes::heads_first: return {prompts, site.heads, longest, site.width};
        case hooks::site_axes::keys: return {prompts, site.heads, longest, longest};
        default: return {prompts, longest, site.width};
    }
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

/// Copies the rows of a site to their places in an array of shape_of(site).
template <class T>
hooks::sink<T> copy_to(std::vector<T>& array, index longest) {
    return
        [&array, longest](hooks::site const& site, hooks::where const& where, plateau::tensor::view<T const, 3> rows) {
        for (std::size_t r = 0; r < where.rows.size(); ++r) {
            index const prompt = where.rows[r].item, position = where.rows[r].position;
            auto const row = rows[static_cast<index>(r)];
            bool const keys = site.axes == hooks::site_axes::keys;
            if (keys || site.axes == hooks::site_axes::heads_first) {
                index const width = keys ? longest : site.width;
                for (index h = 0; h < row.extent(0); ++h) {
                    // a block's keys end with its longest prompt: what a shorter one does not have stays NaN
                    T* const to = array.data() + ((prompt * row.extent(0) + h) * longest + position) * width;
                    std::copy_n(row[h].data(), std::min(row.extent(1), width), to);
                }
            } else {
                index const width = row.size();
                std::copy_n(row.data(), width, array.data() + (prompt * longest + position) * width);
            }
        }
        };
}

/// Key positions beyond a prompt's length hold no score: NaN there.
template <class T>
void clear_missing_keys(std::vector<T>& array, hooks::site const& site, plateau::models::prompt_list const& prompts,
                        index longest) {
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        auto const length = static_cast<index>(prompts[i].size());
        T* at = array.data() + static_cast<index>(i) * site.heads * longest * longest;
        for (index row = 0; row < site.heads * longest; ++row, at += longest) {
            std::fill(at + length, at + longest, std::numeric_limits<T>::quiet_NaN());
        }
    }
}

/// Runs the prompts and adds the array of every site. An array is written as a whole, so as many sites as fit into
/// memory share one run.
template <class Context, class Model>
void add_activations(Context const& ctx, Model const& model, plateau::models::prompt_list const& prompts,
                     std::vector<hooks::site> const& sites, plateau::io::npz_writer& npz) {
    using T = typename Model::value_type;
    constexpr index budget = index{4} << 30;
    auto const count = static_cast<index>(prompts.size());
    index const longest = program::longest_of(prompts);
    plateau::progress bar{"sites", static_cast<index>(sites.size())};
    for (std::size_t first = 0; first < sites.size();) {
        std::vector<std::vector<T>> arrays;
        hooks::hook_set<T> captures;
        std::size_t end = first;
        for (index bytes = 0; end < sites.size(); ++end) {
            index const size = bytes_of(sites[end], shape_of(sites[end], count, longest), sizeof(T));
            bytes += size;
            if (end > first && bytes > budget) break;
            arrays.emplace_back(static_cast<std::size_t>(size) / sizeof(T), std::numeric_limits<T>::quiet_NaN());
        }
        for (std::size_t i = first; i < end; ++i) {
            captures = captures | hooks::capture<T>(sites[i].name(), copy_to<T>(arrays[i - first], longest));
        }
        plateau::models::forward(ctx, model, prompts, captures);
        for (std::size_t i = first; i < end; ++i) {
            auto& array = arrays[i - first];
            if (sites[i].axes == hooks::site_axes::keys) clear_missing_keys(array, sites[i], prompts, longest);
            npz.add(sites[i].name(), array, shape_of(sites[i], count, longest));
            bar.advance();
        }
        first = end;
    }
}

void run(CLI::App const&, options const& o) {
    if (!o.list && o.sites.empty()) throw plateau::usage_error("--sites is required, unless --list is given");
    if (!o.list && o.out.empty()) throw plateau::usage_error("--out is required: the NPZ file to write");
    program::with_model(o, [&](auto const& ctx, auto const& model, double) {
        auto const all = model.sites();
        if (o.list) {
            for (auto const& site : all) std::cout << site.name() << '\t' << site.shape() << '\n';
            if (!std::cout.flush()) throw plateau::file_error("cannot write the list to stdout; give it another place");
            return;
        }
        auto const sites = chosen_sites(all, o.sites);
        auto const prompts = program::load_prompts(o, model, true);
        auto const count = static_cast<index>(prompts.size());
        index const longest = program::longest_of(prompts);

        plateau::atomic_file file{o.out};
        plateau::io::npz_writer npz{file};
        npz.add("tokens", program::padded_tokens(prompts, longest), {count, longest});
        if (program::ragged(prompts)) npz.add("lengths", program::lengths_of(prompts), {count});
        add_activations(ctx, model, prompts, sites, npz);
        npz.close();
        file.commit();

        plateau::table table{{"array", "shape"}};
        for (auto const& site : sites) table.row({site.name(), site.shape()});
        std::cout << table.render() << count << " prompts, written to " << o.out << '\n';
    });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Activations of any hook point as NPZ, under TransformerLens' names and shapes.", "activations"};
    options o;
    program::add_model_options(app, o);
    program::add_prompt_options(app, o);
    app.add_option("--sites", o.sites, "hook points, comma-separated; * any characters, ? one");
    app.add_option("--out", o.out, "the NPZ file to write");
    app.add_flag("--list", o.list, "print every hook point of the model and its shape, and stop");
    app.footer(files_text);
    return program::run(app, argc, argv, [&] { run(app, o); });
}
