#pragma once
/// The command line of a program: its options, what values they take, and the text of --help.
/// (CLI11 does it, behind a wall: as headers it is half of what a program compiles.)

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <plateau/core/types.hpp>
#include <plateau/program/compiled.hpp>

namespace CLI {

class App;
class Option;

}  // namespace CLI

namespace plateau::program {

/// An option that a command line has. It refers to the command line, which has to live as long.
class option {
public:
    explicit option(CLI::Option* of) : of_{of} {}

    /// Numbers from low to high. A list's are checked one by one; so are the next three's.
    option within(int low, int high) const;
    option within(double low, double high) const;
    option positive() const;
    option not_negative() const;
    option one_of(std::vector<std::string> const& names) const;

    /// Elements may stand in one argument, with commas between them.
    option with_commas() const;

    option needs(option other) const;
    option excludes(option other) const;

    /// Whether it was given, once the command line is parsed.
    bool given() const;

private:
    CLI::Option* of_;
};

/// Where the value of an option goes. What is there before is the default.
using option_value =
    std::variant<std::string*, int*, index*, std::uint64_t*, double*, std::optional<std::string>*, std::optional<int>*,
                 std::optional<index>*, std::optional<double>*, std::vector<std::string>*, std::vector<int>*,
                 std::vector<index>*, std::vector<double>*>;

/// The options of a program.
class command_line {
public:
    /// What is left to do once the arguments are read: nothing, if --help or --version was asked for and answered.
    enum class outcome { run, answered };

    command_line(std::string about, std::string name);
    command_line(command_line const&) = delete;
    command_line& operator=(command_line const&) = delete;
    ~command_line();

    std::string const& name() const { return name_; }

    /// @param name   "--steps"
    /// @param value  lives as long as this      @param what  a line of --help
    option add_option(std::string const& name, option_value value, std::string const& what);
    /// As add_option; --help shows the default.
    option add_shown(std::string const& name, option_value value, std::string const& what);
    option add_flag(std::string const& name, bool& value, std::string const& what);

    /// One that is there. @throws CLI::OptionNotFound, an error of the program's
    option get_option(std::string const& name) const;

    void set_version(std::string const& version);
    void set_footer(std::string const& text);

    /// Calls check() once the arguments are read; it may throw usage_error.
    void then(std::function<void()> check);

    /// Sets the values. @throws usage_error that says what is wrong and names --help
    outcome parse(int argc, char const* const* argv);

    /// The options that were given, each with its values separated by commas, in the order in which they were added.
    std::vector<std::pair<std::string, std::string>> given() const;

    /// An option and its value, that given or else the default.
    struct setting {
        std::string name, value;
        bool given;
    };
    /// All options that have a value, in the order in which they were added.
    std::vector<setting> in_effect() const;

private:
    std::string name_;
    std::unique_ptr<CLI::App> app_;
};

/// Whether an option of studies changes no byte of the results: a resumed run may have it otherwise, and pages leave it
/// out.
bool changes_nothing(std::string_view option);

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/impl/command_line.ipp>
#endif
