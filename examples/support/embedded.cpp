// Where the embedded model is, for the default of --model: beside an installed program, else where the build says.

#include <filesystem>
#include <system_error>

#include <plateau/program/options.hpp>

namespace baked {
extern char const* const data;  // the folder examples/data; the build says where
}

namespace {

/// PREFIX/share/plateau of a program that runs as PREFIX/bin/NAME, if it is there; else what the build says.
std::string data_folder() {
    std::error_code none;  // other systems than Linux have no such link
    auto const program = std::filesystem::read_symlink("/proc/self/exe", none);
    auto const installed = program.parent_path().parent_path() / "share" / "plateau";
    bool const there = !program.empty() && std::filesystem::exists(installed / "embedded", none);
    return there ? installed.string() : baked::data;
}

[[maybe_unused]] bool const told = (plateau::program::data_folder = data_folder(), true);

}  // namespace
