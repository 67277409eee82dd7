#pragma once
/// The page of a run, report.html: one file that needs no other, put together from what the run writes.

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <plateau/core/types.hpp>
#include <plateau/models/model_texts.hpp>
#include <plateau/program/command_line.hpp>
#include <plateau/program/compiled.hpp>
#include <plateau/program/manifest.hpp>
#include <plateau/program/report/kept_array.hpp>

namespace plateau::program::report {

/// The file, as manifests tell it.
inline file const page_file{
    "report.html", "one page",
    "tables, pictures and prompts of this run, with curves and maps to touch, for a browser; it "
    "needs no network and no other file",
    "--report"};

/// The command line as a shell takes it, without the options that change nothing.
std::string command_text(std::string const& program, std::vector<std::string> const& arguments);

/// @throws config_error that names the package, in a build without what a page is made of
void require_built();

/// Same bytes for the same results: no times, nothing of the machine but what computed.
class page {
public:
    std::string about, command, heading, printed;
    std::vector<command_line::setting> options;  ///< defaults, too
    models::model_texts texts = {};              ///< of the model, or the last one, that was measured

    /// What the things along an axis are called, or where they lie.
    void name_axis(std::string const& letter, std::vector<std::string> names) { names_[letter] = std::move(names); }
    void place_axis(std::string const& letter, std::vector<double> places) { places_[letter] = std::move(places); }

    /// Where the values of an array go that a page has a use for; null for all others.
    /// @param name  that of the file, also where the manifest has a number in it
    kept_array* keep(file told, std::string const& name, std::vector<index> const& shape);
    /// What has been kept under this name; null if nothing.
    kept_array const* kept(std::string_view name) const;

    void add_picture(file const& told, std::string const& name, std::string_view bytes);

    /// Something to touch. @param kind  of page.js: charts, slices      @param data  JSON for a <script> element
    void add_part(std::string const& kind, std::string const& title, std::string data) {
        parts_.push_back({kind, title, std::move(data)});
    }
    /// A line on what there was no room for.
    void leave_out(std::string const& what) { left_out_.insert(what); }

    /// @param summary  all of summary.json, of which times and the like are left out
    std::string render(nlohmann::ordered_json const& summary, manifest const& leaves,
                       std::set<std::string> const& written) const;

private:
    struct part {
        std::string kind, title, data;
    };
    struct drawn {
        std::string name, what, uri;
    };

    std::string prompt_of(index number) const;
    std::string pairs_json() const;
    std::string tops_json() const;
    std::string touch_html() const;
    std::string pictures_html() const;
    std::string prompts_html() const;

    std::map<std::string, std::vector<std::string>> names_;
    std::map<std::string, std::vector<double>> places_;
    std::deque<kept_array> arrays_;
    std::vector<drawn> pictures_;
    std::vector<part> parts_;
    std::set<std::string> left_out_;
    std::size_t picture_bytes_ = 0;
};

}  // namespace plateau::program::report

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/report/impl/page.ipp>
#endif
