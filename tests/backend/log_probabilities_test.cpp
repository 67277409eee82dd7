#include <plateau/backend/cpu/log_probabilities.hpp>

#include <cmath>

#include <plateau/backend/cpu.hpp>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;
using plateau::testing::random_buffer;
using plateau::testing::same_bits;

backend::cpu_context const ctx{1};

template <class T>
std::vector<double> read(buffer<T, 2> const& x, backend::linear_weight<T> const& weight,
                         std::vector<index> const& targets, buffer<T, 1> const& bias = {}, T cap = 0) {
    std::vector<double> result(targets.size());
    backend::log_probabilities<T>(ctx, x, {weight, bias}, cap, targets, result);
    return result;
}

TEMPLATE_TEST_CASE("log probabilities are those of the logits themselves", "[backend][logits]", float, double) {
    double const bound = std::is_same_v<TestType, float> ? 2e-6 : 1e-12;
    for (index const vocabulary : {1, 63, 64, 65, 256, 257, 1000}) {
        index const rows = 9, width = 33;
        auto const x = random_buffer<TestType, 2>({rows, width}, 1, 3);
        backend::linear_weight<TestType> const weight{random_buffer<TestType, 2>({vocabulary, width}, 2)};
        std::vector<index> targets;
        for (index r = 0; r < rows; ++r) targets.push_back(r == 8 ? vocabulary - 1 : r * 37 % vocabulary);
        bool const all_parts = vocabulary % 2 == 1;  // a bias and a cap
        auto const bias = all_parts ? random_buffer<TestType, 1>({vocabulary}, 3) : buffer<TestType, 1>{};
        auto const got = read(x, weight, targets, bias, TestType(all_parts ? 5 : 0));
        buffer<TestType, 2> logits({rows, vocabulary});
        backend::linear<TestType>(ctx, x, {weight, bias}, logits);
        if (all_parts) backend::cap<TestType>(ctx, logits.view(), 5);
        for (index r = 0; r < rows; ++r) {
            double sum = 0;
            auto const target = static_cast<double>(logits(r, targets[static_cast<std::size_t>(r)]));
            for (TestType const l : logits[r].flat()) sum += std::exp(static_cast<double>(l) - target);
            CHECK(std::abs(got[static_cast<std::size_t>(r)] + std::log(sum)) <= bound * (1 + std::log(sum)));
        }
    }
}

TEST_CASE("a log probability has the same bits in any company, in more rows than are multiplied at a time",
          "[backend][logits]") {
    index const rows = 700, width = 1300, vocabulary = 300;
    backend::linear_weight<float> const weight{random_buffer<float, 2>({vocabulary, width}, 1, 0.1)};
    auto const x = random_buffer<float, 2>({rows, width}, 2);
    std::vector<index> targets;
    for (index r = 0; r < rows; ++r) targets.push_back(r * 7 % vocabulary);
    auto const together = read(x, weight, targets);
    for (index r = 0; r < rows; r += 53) {
        buffer<float, 2> one({1, width});
        std::copy_n(x[r].data(), width, one.data());
        CHECK(same_bits(read(one, weight, {targets[static_cast<std::size_t>(r)]})[0],
                        together[static_cast<std::size_t>(r)]));
    }
}

TEST_CASE("logits of any size give finite log probabilities", "[backend][logits]") {
    auto const got = read(random_buffer<float, 2>({3, 8}, 1, 1e4),
                          backend::linear_weight<float>{random_buffer<float, 2>({500, 8}, 2, 1e3)}, {0, 1, 499});
    for (double const one : got) CHECK((std::isfinite(one) && one <= 0));
}

TEST_CASE("extents and targets that do not fit are errors", "[backend][logits][errors]") {
    backend::linear_weight<float> const weight{random_buffer<float, 2>({10, 4}, 1)};
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 5}, 2), weight, {0, 0}), shape_error);
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 4}, 2), weight, {0}), shape_error);
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 4}, 2), weight, {0, 10}), shape_error);
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 4}, 2), weight, {0, -1}), shape_error);
}

}  // namespace
