// A real trained checkpoint, stories260K, writes the text that its authors' program writes.

#include <plateau/engine/load.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "support/catch.hpp"

namespace {

using plateau::index;
namespace hooks = plateau::hooks;

/// The tokens of a llama2.c tokenizer file: int32 longest, then for each {float score, int32 length, bytes}.
std::vector<std::string> read_llama2c_tokens(std::filesystem::path const& path) {
    std::string const bytes = plateau::io::read_text(path);
    std::vector<std::string> tokens;
    for (std::size_t at = 4; at < bytes.size();) {
        std::int32_t length = 0;
        std::memcpy(&length, bytes.data() + at + 4, 4);
        tokens.push_back(bytes.substr(at + 8, static_cast<std::size_t>(length)));
        at += 8 + static_cast<std::size_t>(length);
    }
    return tokens;
}

/// Text of ids that follow BOS: its blank is dropped after BOS, <0xHH> is a byte.
std::string decode(std::vector<std::string> const& tokens, std::vector<plateau::token_id> const& ids) {
    std::string text;
    for (std::size_t i = 1; i < ids.size(); ++i) {
        std::string piece = tokens.at(static_cast<std::size_t>(ids[i]));
        if (ids[i - 1] == 1 && piece.starts_with(' ')) piece.erase(0, 1);
        if (piece.size() == 6 && piece.starts_with("<0x"))
            piece = std::string(1, static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16)));
        text += piece;
    }
    return text;
}

TEMPLATE_TEST_CASE("stories260K continues a text greedily as published", "[models][real]", float, double) {
    char const* const data = std::getenv("PLATEAU_SHARED_DATA");
    if (data == nullptr) PLATEAU_SKIP("PLATEAU_SHARED_DATA does not name the folder with models/stories260K");
    auto const folder = std::filesystem::path(data) / "models" / "stories260K";
    auto const model = plateau::load<TestType>(folder, {.backend = {.threads = 1}});
    std::vector<plateau::token_id> ids{1};
    for (int step = 0; step < 200; ++step) {
        plateau::token_id best = 0;
        auto const pick =
            [&](hooks::site const&, hooks::where const& w, plateau::tensor::view<TestType const, 3> rows) {
            auto const logits = rows[static_cast<index>(w.rows.size()) - 1].flat();
            best = static_cast<plateau::token_id>(std::max_element(logits.begin(), logits.end()) - logits.begin());
        };
        model.run({ids}, hooks::capture<TestType>("unembed.hook_out", pick));
        ids.push_back(best);
    }
    CHECK(decode(read_llama2c_tokens(folder / "tok512.bin"), ids) ==
          plateau::io::read_text(folder / "expected_greedy_n200.txt"));
}

}  // namespace
