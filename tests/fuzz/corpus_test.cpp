#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <zlib.h>

#include "fuzz/parsers.hpp"
#include "support/baked.hpp"
#include "support/catch.hpp"

using namespace plateau;
using namespace plateau::testing;

namespace {

/// The inputs of an archive, each with its length in four bytes before it.
std::vector<std::vector<std::byte>> inputs_of(std::string const& path) {
    std::vector<std::vector<std::byte>> inputs;
    gzFile const file = gzopen(path.c_str(), "rb");
    REQUIRE(file != nullptr);
    std::uint32_t size = 0;
    while (gzread(file, &size, sizeof size) == static_cast<int>(sizeof size)) {
        REQUIRE(size <= 1u << 20);
        auto& input = inputs.emplace_back(size);  // of its own size, so that the sanitizers see a byte too many
        REQUIRE(gzread(file, input.data(), size) == static_cast<int>(size));
    }
    REQUIRE(gzclose(file) == Z_OK);
    return inputs;
}

}  // namespace

TEST_CASE("no parser does anything but take or refuse the inputs that fuzzing found", "[fuzz]") {
    std::filesystem::path const folder = std::filesystem::path{baked::tests} / "fuzz" / "corpus";
    std::set<std::string> known;
    for (auto const& parser : fuzzed_parsers) {
        CAPTURE(parser.name);
        std::string const name = std::string{parser.name} + ".gz";
        known.insert(name);
        std::size_t taken = 0, refused = 0;
        for (auto const& input : inputs_of((folder / name).string())) ++(parses(parser, input) ? taken : refused);
        CHECK(taken >= 1);
        CHECK(refused >= 5);
    }
    for (auto const& archive : std::filesystem::directory_iterator{folder})
        CHECK(known.contains(archive.path().filename().string()));  // an archive that nobody runs tests nothing
}

TEST_CASE("what is neither taken nor refused is seen", "[fuzz]") {
    fuzzed_parser const leaks{"leaks", [](std::span<std::byte const>) { throw std::out_of_range("at"); }};
    CHECK_THROWS_AS(parses(leaks, {}), std::out_of_range);
    fuzzed_parser const silent{"silent", [](std::span<std::byte const>) { throw file_error(""); }};
    CHECK_THROWS_AS(parses(silent, {}), std::logic_error);
}
