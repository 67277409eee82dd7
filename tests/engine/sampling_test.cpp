#include <plateau/engine/sampling.hpp>

#include <limits>
#include <set>

#include "support/catch.hpp"

namespace {

using plateau::index;
using plateau::token_id;
using plateau::testing::contains;
namespace engine = plateau::engine;

template <class T>
token_id choose(std::vector<T> const& logits, engine::sampling const& how, double u) {
    return engine::choose_token<T>(logits, how, u);
}

TEMPLATE_TEST_CASE("temperature 0 takes the largest logit, of equal ones the smaller token", "[engine][sampling]",
                   float, double) {
    std::vector<TestType> const logits{1, 3, -2, 3, 0};
    for (double const u : {0.0, 0.5, 0.999}) {
        CHECK(choose(logits, {}, u) == 1);
        CHECK(choose(logits, {.temperature = 0, .top_k = 3}, u) == 1);
        CHECK(choose(logits, {.temperature = 5, .top_k = 1}, u) == 1);
    }
}

TEMPLATE_TEST_CASE("tokens come as often as their probabilities say", "[engine][sampling]", float, double) {
    std::vector<TestType> const logits{0, 1, -1, 2, static_cast<TestType>(0.5)};
    double const temperature = GENERATE(0.5, 1.0, 3.0);
    for (index const k : {0, 2, 3, 5, 99}) {
        std::vector<double> p;  // of the k largest
        for (std::size_t v = 0; v < logits.size(); ++v) {
            auto const larger = std::count_if(logits.begin(), logits.end(), [&](TestType l) { return l > logits[v]; });
            p.push_back(k > 0 && larger >= k ? 0 : std::exp(static_cast<double>(logits[v]) / temperature));
        }
        double total = 0;
        for (double const one : p) total += one;
        std::vector<int> seen(logits.size());
        int const draws = 20000;  // evenly spaced, so that a frequency is exact to one draw
        for (int i = 0; i < draws; ++i)
            ++seen[static_cast<std::size_t>(choose(logits, {temperature, k}, (i + 0.5) / draws))];
        for (std::size_t v = 0; v < logits.size(); ++v) CHECK(std::abs(seen[v] - draws * p[v] / total) <= 1);
    }
}

TEST_CASE("of equal logits top-k keeps the smaller tokens", "[engine][sampling]") {
    std::vector<float> const logits{0, 1, 1, 1, 1};
    std::set<token_id> seen;
    for (int i = 0; i < 100; ++i) seen.insert(choose(logits, {.temperature = 1, .top_k = 2}, i / 100.0));
    CHECK(seen == std::set<token_id>{1, 2});
}

TEST_CASE("a tiny temperature is greedy, and a token of logit -inf never comes", "[engine][sampling]") {
    float const never = -std::numeric_limits<float>::infinity();
    for (double const u : {0.0, 0.3, 1 - 0x1p-53}) {
        CHECK(choose<float>({1, 2, 1.9999f}, {.temperature = 1e-300}, u) == 1);
        CHECK(choose<float>({never, 2, never}, {.temperature = 1e300}, u) == 1);
        CHECK(choose<float>({never, 2, never}, {.temperature = 1, .top_k = 2}, u) == 1);
    }
}

TEST_CASE("options and logits without sense are refused", "[engine][sampling][errors]") {
    double const nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    for (double const t : {-1.0, nan, infinity})
        CHECK_THROWS_WITH(choose<double>({1, 2}, {.temperature = t}, 0), contains("temperature"));
    CHECK_THROWS_WITH(choose<double>({1, 2}, {.temperature = 1, .top_k = -1}, 0), contains("top-k"));
    CHECK_THROWS_AS(choose<double>({1, nan}, {}, 0), plateau::numeric_error);
    CHECK_THROWS_AS(choose<double>({infinity, 1}, {}, 0), plateau::numeric_error);
    CHECK_THROWS_AS(choose<double>({-infinity, -infinity}, {}, 0), plateau::numeric_error);
}

TEST_CASE("the number of a step depends on seed, prompt and step alone", "[engine][sampling]") {
    std::set<double> seen;
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
        for (index prompt = 0; prompt < 5; ++prompt) {
            for (index step = 0; step < 5; ++step) {
                double const u = engine::sampling_number(seed, prompt, step);
                CHECK(u == engine::sampling_number(seed, prompt, step));
                CHECK((u >= 0 && u < 1));
                seen.insert(u);
            }
        }
    }
    CHECK(seen.size() == 125);
}

}  // namespace
