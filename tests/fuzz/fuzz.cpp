// A libFuzzer program of all parsers; PLATEAU_PARSER in the environment chooses the one that it runs.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

#include "parsers.hpp"

namespace {

plateau::testing::fuzzed_parser const* chosen = nullptr;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    char const* const name = std::getenv("PLATEAU_PARSER");
    for (auto const& parser : plateau::testing::fuzzed_parsers) {
        if (name != nullptr && std::string_view{name} == parser.name) chosen = &parser;
    }
    if (chosen != nullptr) return 0;
    std::fputs("PLATEAU_PARSER must name one of", stderr);
    for (auto const& parser : plateau::testing::fuzzed_parsers) std::fprintf(stderr, " %s", parser.name);
    std::fputs("\n", stderr);
    std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
    plateau::testing::parses(*chosen, std::as_bytes(std::span{data, size}));
    return 0;
}
