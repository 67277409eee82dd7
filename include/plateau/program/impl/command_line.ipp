#pragma once
/// Bodies of program/command_line.hpp.

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <CLI/CLI.hpp>

#include <plateau/core/error.hpp>
#include <plateau/program/command_line.hpp>
#include <plateau/program/compiled.hpp>

namespace plateau::program {

PLATEAU_PROGRAM_INLINE option option::within(int low, int high) const {
    return option{of_->check(CLI::Range(low, high))};
}
PLATEAU_PROGRAM_INLINE option option::within(double low, double high) const {
    return option{of_->check(CLI::Range(low, high))};
}
PLATEAU_PROGRAM_INLINE option option::positive() const { return option{of_->check(CLI::PositiveNumber)}; }
PLATEAU_PROGRAM_INLINE option option::not_negative() const { return option{of_->check(CLI::NonNegativeNumber)}; }
PLATEAU_PROGRAM_INLINE option option::one_of(std::vector<std::string> const& names) const {
    return option{of_->check(CLI::IsMember(names))};
}
PLATEAU_PROGRAM_INLINE option option::with_commas() const { return option{of_->delimiter(',')}; }
PLATEAU_PROGRAM_INLINE option option::needs(option other) const { return option{of_->needs(other.of_)}; }
PLATEAU_PROGRAM_INLINE option option::excludes(option other) const { return option{of_->excludes(other.of_)}; }
PLATEAU_PROGRAM_INLINE bool option::given() const { return of_->count() > 0; }

namespace detail {

/// An option that fills its column but for one space has its text on the next line: "=A prompt" reads as a default.
struct two_spaces : CLI::Formatter {
    std::string make_option_opts(CLI::Option const* of) const override {
        auto text = CLI::Formatter::make_option_opts(of);
        if (2 + make_option_name(of, false).size() + text.size() + 1 == column_width_) text += ' ';
        return text;
    }
};

}  // namespace detail

PLATEAU_PROGRAM_INLINE command_line::command_line(std::string about, std::string name)
    : name_{std::move(name)}, app_{std::make_unique<CLI::App>(std::move(about), name_)} {
    app_->formatter(std::make_shared<detail::two_spaces>());
}
PLATEAU_PROGRAM_INLINE command_line::~command_line() = default;

PLATEAU_PROGRAM_INLINE option command_line::add_option(std::string const& name, option_value value,
                                                       std::string const& what) {
    return option{std::visit([&](auto* to) { return app_->add_option(name, *to, what); }, value)};
}

PLATEAU_PROGRAM_INLINE option command_line::add_shown(std::string const& name, option_value value,
                                                      std::string const& what) {
    return option{
        std::visit([&](auto* to) { return app_->add_option(name, *to, what)->capture_default_str(); }, value)};
}

PLATEAU_PROGRAM_INLINE option command_line::add_flag(std::string const& name, bool& value, std::string const& what) {
    return option{app_->add_flag(name, value, what)};
}

PLATEAU_PROGRAM_INLINE option command_line::get_option(std::string const& name) const {
    return option{static_cast<CLI::App&>(*app_).get_option(name)};
}

PLATEAU_PROGRAM_INLINE void command_line::set_version(std::string const& version) {
    app_->set_version_flag("--version", version);
}

PLATEAU_PROGRAM_INLINE void command_line::set_footer(std::string const& text) { app_->footer(text); }

PLATEAU_PROGRAM_INLINE void command_line::then(std::function<void()> check) { app_->callback(std::move(check)); }

PLATEAU_PROGRAM_INLINE command_line::outcome command_line::parse(int argc, char const* const* argv) {
    try {
        app_->parse(argc, argv);
    } catch (CLI::ParseError const& wrong) {
        if (wrong.get_exit_code() != 0) throw usage_error(wrong.what(), "; see --help");
        app_->exit(wrong);  // prints what was asked for
        return outcome::answered;
    }
    return outcome::run;
}

PLATEAU_PROGRAM_INLINE std::vector<std::pair<std::string, std::string>> command_line::given() const {
    std::vector<std::pair<std::string, std::string>> all;
    for (auto const* const one : static_cast<CLI::App const&>(*app_).get_options()) {
        if (one->count() > 0) all.emplace_back(one->get_name(), CLI::detail::join(one->results(), ","));
    }
    return all;
}

PLATEAU_PROGRAM_INLINE std::vector<command_line::setting> command_line::in_effect() const {
    std::vector<setting> all;
    for (auto const* const one : static_cast<CLI::App const&>(*app_).get_options()) {
        bool const is_given = one->count() > 0;
        auto value = is_given ? CLI::detail::join(one->results(), ",") : one->get_default_str();
        if (!value.empty()) all.push_back({one->get_name(), std::move(value), is_given});
    }
    return all;
}

PLATEAU_PROGRAM_INLINE bool changes_nothing(std::string_view option) {
    static constexpr std::array names{"--threads", "--pin", "--out", "--report", "--journal", "--resume", "--memory"};
    return std::find(names.begin(), names.end(), option) != names.end();
}

}  // namespace plateau::program
