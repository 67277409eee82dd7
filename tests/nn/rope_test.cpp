#include <plateau/nn/rope.hpp>

#include <vector>

#include "support/catch.hpp"
#include "support/tolerance.hpp"

namespace {

using plateau::index;
using plateau::nn::rope;

/// ω_i, read off the angles of position 1 while they are below π.
std::vector<double> frequencies(rope const& rotary) {
    std::vector<double> cosines(static_cast<std::size_t>(rotary.half())), sines(cosines);
    rotary.angles(1, cosines.data(), sines.data());
    std::vector<double> all;
    for (std::size_t i = 0; i < cosines.size(); ++i) all.push_back(std::atan2(sines[i], cosines[i]));
    return all;
}

double standard_frequency(index width, double theta, index i) {
    return 1 / std::pow(theta, 2.0 * static_cast<double>(i) / static_cast<double>(width));
}

TEST_CASE("frequencies fall from 1 by equal factors", "[nn][rope]") {
    index const width = GENERATE(2, 8, 64, 128);
    double const theta = GENERATE(1e4, 5e5);
    auto const found = frequencies(rope::standard(width, theta));
    REQUIRE(static_cast<index>(found.size()) == width / 2);
    CHECK_THAT(found.front(), plateau::testing::WithinAbs(1, 1e-15));
    for (index i = 0; i < width / 2; ++i) {
        REQUIRE_THAT(found[static_cast<std::size_t>(i)],
                     plateau::testing::WithinRel(standard_frequency(width, theta, i), 1e-13));
    }
}

TEMPLATE_TEST_CASE("angles are position times frequency, formed in double", "[nn][rope]", float, double) {
    index const position = GENERATE(0, 1, 7, 1000, 131071);
    auto const rotary = rope::standard(8, 1e4);
    std::vector<TestType> cosines(4), sines(4);
    rotary.angles(position, cosines.data(), sines.data());
    for (index i = 0; i < 4; ++i) {
        double const angle = static_cast<double>(position) * std::pow(1e4, -2.0 * static_cast<double>(i) / 8);
        CHECK(cosines[static_cast<std::size_t>(i)] == static_cast<TestType>(std::cos(angle)));
        CHECK(sines[static_cast<std::size_t>(i)] == static_cast<TestType>(std::sin(angle)));
    }
    if (position == 0) CHECK(cosines == std::vector<TestType>(4, TestType{1}));
}

TEST_CASE("linear scaling divides positions", "[nn][rope]") {
    auto const standard = rope::standard(16, 1e4), stretched = rope::linear(16, 1e4, 4);
    std::vector<double> a(8), b(8), c(8), d(8);
    for (index position : {1, 7, 500}) {
        standard.angles(position, a.data(), b.data());
        stretched.angles(4 * position, c.data(), d.data());
        CHECK(a == c);  // a factor of 4 rounds nothing
        CHECK(b == d);
    }
    CHECK(frequencies(rope::linear(16, 1e4, 1)) == frequencies(standard));
}

TEST_CASE("llama3 scaling keeps short waves, stretches long ones, blends between", "[nn][rope]") {
    // Llama 3.1: θ = 500000, factor 8, low 1, high 4, context 8192, heads of 128
    index const width = 128, context = 8192;
    double const theta = 5e5, factor = 8, low = 1, high = 4;
    auto const found = frequencies(rope::llama3(width, theta, factor, low, high, context));
    int kept = 0, stretched = 0, blended = 0;
    double last = 2;
    for (index i = 0; i < width / 2; ++i) {
        double const standard = standard_frequency(width, theta, i), wavelength = 2 * std::numbers::pi / standard;
        double const now = found[static_cast<std::size_t>(i)];
        double expected = standard;
        if (wavelength < context / high) {
            ++kept;
        } else if (wavelength > context / low) {
            expected = standard / factor;
            ++stretched;
        } else {
            double const smooth = (context / wavelength - low) / (high - low);
            expected = (1 - smooth) * standard / factor + smooth * standard;
            ++blended;
            CHECK((now <= standard && now >= standard / factor));
        }
        REQUIRE_THAT(now, plateau::testing::WithinRel(expected, 1e-12));
        CHECK(now < last);
        last = now;
    }
    // every zone is reached
    CHECK(kept == 29);
    CHECK(blended == 6);
    CHECK(stretched == 29);
}

TEST_CASE("dynamic scaling raises the base of longer sequences alone", "[nn][rope]") {
    index const trained = 32;
    auto const rotary = rope::dynamic(8, 1e4, 2, trained);
    for (index const length : {0, 1, 31, 32}) {
        CHECK(rotary.frequencies(length) == rope::standard(8, 1e4).frequencies());
        CHECK(rotary.lengths()(length) == 0);
    }
    for (index const length : {33, 64, 1000}) {
        double const base = 1e4 * std::pow(2.0 * static_cast<double>(length) / 32 - 1, 8.0 / 6.0);
        auto const found = rotary.frequencies(length);
        for (index i = 0; i < 4; ++i)
            CHECK_THAT(found[static_cast<std::size_t>(i)],
                       plateau::testing::WithinRel(standard_frequency(8, base, i), 1e-13));
        CHECK(rotary.lengths()(length) == length);
    }
}

TEST_CASE("yarn keeps pairs that turn often, divides those that hardly turn, blends between", "[nn][rope]") {
    // heads of 128, base 10000, 4096 positions: 32 turns at pair 20.95, 1 turn at pair 45.03
    auto const found = rope::yarn(128, 1e4, 16, {.original_context = 4096}).frequencies();
    auto const whole = rope::standard(128, 1e4).frequencies();
    for (std::size_t i = 0; i < 64; ++i) {
        double const divided = std::clamp((static_cast<double>(i) - 20) / (46 - 20), 0.0, 1.0);
        CHECK_THAT(found[i], plateau::testing::WithinRel(whole[i] * (divided / 16 + 1 - divided), 1e-13));
    }
    auto const exact = rope::yarn(128, 1e4, 16, {.original_context = 4096, .truncate = false}).frequencies();
    CHECK(exact[21] < whole[21]);
    CHECK(exact[20] == whole[20]);
    CHECK(exact[45] > whole[45] / 16);
    auto const doubled = rope::yarn(8, 1e4, 4, {.original_context = 64}).times(2);
    std::vector<double> cosines(4), sines(4);
    doubled.angles(0, cosines.data(), sines.data());
    CHECK(cosines == std::vector<double>(4, 2.0));
}

TEST_CASE("longrope has other factors for longer sequences", "[nn][rope]") {
    auto const rotary = rope::longrope(1e4, {1, 2}, {3, 4}, {.beyond = 16, .restarts = true});
    auto const whole = rope::standard(4, 1e4).frequencies();
    CHECK(rotary.frequencies(16) == std::vector<double>{whole[0], whole[1] / 2});
    CHECK(rotary.frequencies(17) == std::vector<double>{whole[0] / 3, whole[1] / 4});
    CHECK(rotary.frequencies(17) == rotary.frequencies(1000));
    auto const& lengths = rotary.lengths();
    CHECK((lengths(16) == 0 && lengths(17) == 1 && lengths(18) == 1));
    CHECK((lengths.restart(16, 17) && lengths.restart(3, 99) && !lengths.restart(15, 16) && !lengths.restart(17, 18)));
}

TEST_CASE("llama3 scaling is continuous at both ends of the blend", "[nn][rope]") {
    double const high = 4, low = 1, factor = 8;
    // A pair of wavelength 2π · 1e6: the context decides in which zone it lies.
    auto const frequency = [&](double context_in_wavelengths) {
        auto const context = static_cast<index>(std::llround(context_in_wavelengths * 2 * std::numbers::pi * 1e6));
        // ω_1 = θ^(-1/2) = 1e-6 for a width of 4
        return frequencies(rope::llama3(4, 1e12, factor, low, high, context))[1] * 1e6;
    };
    CHECK_THAT(frequency(4.001), plateau::testing::WithinAbs(1, 1e-9));
    CHECK_THAT(frequency(3.999), plateau::testing::WithinAbs(1, 1e-3));
    CHECK_THAT(frequency(1.001), plateau::testing::WithinAbs(0.125, 1e-3));
    CHECK_THAT(frequency(0.999), plateau::testing::WithinAbs(0.125, 1e-9));
    CHECK_THAT(frequency(2.5), plateau::testing::WithinAbs((1 + 0.125) / 2, 1e-6));
}

}  // namespace
