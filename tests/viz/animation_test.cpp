#include <plateau/viz/animation.hpp>

#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/png.hpp"

namespace {

using namespace plateau;
using plateau::testing::contains;
using plateau::testing::png_size;
namespace png = plateau::viz::detail;

/// A PNG of a size in two pieces of image data; the data are no real image.
std::string frame(unsigned width, std::string const& data, std::string const& before = "") {
    using png::big_endian, png::png_chunk;
    return std::string(png::png_signature) +
           png_chunk("IHDR", big_endian(width) + big_endian(5) + std::string("\x08\x02\0\0\0", 5)) + before +
           png_chunk("IDAT", data) + png_chunk("IDAT", data + data) + png_chunk("IEND", "");
}

/// Types and data of all chunks.
std::vector<std::pair<std::string, std::string>> chunks_of(std::string const& bytes) {
    std::vector<std::pair<std::string, std::string>> chunks;
    png::each_png_chunk(bytes, [&](std::string_view type, std::string_view data, std::string_view whole) {
        chunks.emplace_back(type, data);
        CHECK(whole == png::png_chunk(chunks.back().first, data));  // the checksum too
    });
    return chunks;
}

TEST_CASE("checksums are those of PNG", "[viz][animation]") {
    CHECK(png::crc32_of("") == 0);
    CHECK(png::crc32_of("123456789") == 0xCBF43926u);
    CHECK(png::crc32_of("IEND") == 0xAE426082u);
}

TEST_CASE("an animation holds its frames in order, numbered, and is a picture of the first", "[viz][animation]") {
    auto const physical = png::png_chunk("pHYs", "123456789");
    std::vector<std::string> const frames{frame(7, "one", physical), frame(7, "two"), frame(7, "three", physical)};
    auto const bytes = viz::animated_png(frames, 0.25);
    CHECK(png_size(bytes).width == 7);
    CHECK(png_size(bytes).height == 5);
    auto const chunks = chunks_of(bytes);
    std::vector<std::string> types;
    for (auto const& [type, data] : chunks) types.push_back(type);
    CHECK(types == std::vector<std::string>{"IHDR", "acTL", "pHYs", "fcTL", "IDAT", "IDAT", "fcTL", "fdAT", "fdAT",
                                            "fcTL", "fdAT", "fdAT", "IEND"});
    CHECK(chunks[1].second == std::string("\0\0\0\3\0\0\0\0", 8));
    unsigned sequence = 0;
    for (auto const& [type, data] : chunks) {
        if (type != "fcTL" && type != "fdAT") continue;
        CHECK(data.substr(0, 4) == png::big_endian(sequence++));
        if (type == "fcTL")
            CHECK(data.substr(4) == std::string("\0\0\0\7\0\0\0\5\0\0\0\0\0\0\0\0\0\xFA\3\xE8\0\0", 22));
    }
    CHECK(chunks[4].second == "one");
    CHECK(chunks[8].second.substr(4) == "twotwo");
    CHECK(chunks[10].second.substr(4) == "three");
    CHECK(chunks_of(viz::animated_png(std::vector<std::string>{frames[0]}, 1)).size() == 7);
}

TEST_CASE("what is no animation says why", "[viz][animation][errors]") {
    std::vector<std::string> frames{frame(7, "one"), frame(8, "two")};
    CHECK_THROWS_WITH(viz::animated_png(frames, 1), contains("frame 1"));
    CHECK_THROWS_AS(viz::animated_png({}, 1), shape_error);
    for (double const seconds : {0.0, -1.0, 61.0, std::nan("")})
        CHECK_THROWS_AS(viz::animated_png(std::vector{frames[0]}, seconds), domain_error);
    for (std::string const& bad :
         {std::string(), std::string("nothing of the kind"), frames[0].substr(0, 60), frames[0].substr(0, 8),
          std::string(png::png_signature) + png::png_chunk("IDAT", "x"),
          frames[0].substr(0, 33) + png::png_chunk("IEND", "")}) {
        CHECK_THROWS_AS(viz::animated_png(std::vector{bad}, 1), shape_error);
        CHECK_THROWS_AS(viz::animated_png(std::vector{frames[0], bad}, 1), shape_error);
    }
}

}  // namespace
