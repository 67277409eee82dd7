#pragma once
/// Whether a run leaves a page, and what its study says of itself there.

#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/program/command_line.hpp>
#include <plateau/program/manifest.hpp>
#include <plateau/program/outputs.hpp>
#include <plateau/program/report/page.hpp>

namespace plateau::program::report {

class request {
public:
    /// @param about  the program, in a sentence
    explicit request(std::string about) : about_{std::move(about)} {}

    /// Adds --report, and the file to what the program leaves.
    void add_option(command_line& app, manifest& leaves) {
        app.add_flag("--report", wanted_, "also leave report.html in the folder --out: this run as a page to read");
        leaves.files.push_back(page_file);
    }

    /// The arguments, once they are read. @throws config_error if there can be no page
    void take(int argc, char** argv) {
        for (int i = 1; i < argc; ++i) arguments_.emplace_back(argv[i]);
        if (wanted_) require_built();
    }

    /// @throws usage_error where there is no folder for the page
    void require_folder(std::string const& out) const {
        if (wanted_ && out.empty()) throw usage_error("--report needs --out: the folder that report.html goes to");
    }

    void begin(outputs& out) const {
        if (wanted_) out.begin_page();
    }

    /// A line that changes from run to run, as it is: it has no place on a page.
    std::string passing(std::string line) { return passing_ = std::move(line); }

    /// @param body  what the program prints, of which the page has all but the passing line
    void tell(page& to, command_line const& app, std::string const& heading, std::string body) const {
        auto const at = passing_.empty() ? std::string::npos : body.find(passing_);
        if (at != std::string::npos) body.erase(at, passing_.size());
        to.about = about_, to.heading = heading, to.printed = std::move(body);
        to.command = command_text(app.name(), arguments_);
        to.options = app.in_effect();
    }

private:
    std::string about_;
    std::vector<std::string> arguments_;
    std::string passing_;
    bool wanted_ = false;
};

}  // namespace plateau::program::report
