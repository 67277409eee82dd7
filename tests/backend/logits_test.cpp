#include <plateau/backend/cpu.hpp>

#include <cmath>
#include <numeric>

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
struct readings {
    std::vector<backend::logit_summary> summaries;
    buffer<backend::scored_token<T>, 2> best;
};

template <class T>
readings<T> read(buffer<T, 2> const& x, backend::linear_weight<T> const& weight, std::vector<index> const& references,
                 index k, buffer<T, 1> const& bias = {}, T cap = 0) {
    readings<T> r{std::vector<backend::logit_summary>(references.size()),
                  buffer<backend::scored_token<T>, 2>({x.extent(0), k})};
    backend::summarise_logits<T>(ctx, x, {weight, bias}, cap, references, r.summaries, r.best);
    return r;
}

/// log softmax in double.
template <class T>
std::vector<double> log_probabilities(tensor::view<T const, 1> logits) {
    std::vector<double> values(logits.flat().begin(), logits.flat().end());
    double const top = *std::max_element(values.begin(), values.end());
    double sum = 0;
    for (double const v : values) sum += std::exp(v - top);
    for (double& v : values) v -= top + std::log(sum);
    return values;
}

double divergence(std::vector<double> const& p, std::vector<double> const& q) {
    double kl = 0;
    for (std::size_t i = 0; i < p.size(); ++i) kl += std::exp(p[i]) * (p[i] - q[i]);
    return kl;
}

TEMPLATE_TEST_CASE("summaries of logits are those of the logits themselves", "[backend][logits]", float, double) {
    double const bound = std::is_same_v<TestType, float> ? 2e-6 : 1e-12;
    for (index const vocabulary : {1, 63, 64, 256, 257, 1000}) {
        index const rows = 9, width = 33;
        auto const x = random_buffer<TestType, 2>({rows, width}, 1, 3);
        backend::linear_weight<TestType> const weight{random_buffer<TestType, 2>({vocabulary, width}, 2)};
        std::vector<index> const references{0, 0, 0, 3, 3, 5, 5, 5, 3};
        index const k = std::min<index>(vocabulary, 7);
        bool const all_parts = vocabulary % 2 == 1;  // a bias and a cap
        auto const bias = all_parts ? random_buffer<TestType, 1>({vocabulary}, 3) : buffer<TestType, 1>{};
        auto const got = read(x, weight, references, k, bias, TestType(all_parts ? 5 : 0));
        buffer<TestType, 2> logits({rows, vocabulary});
        backend::linear<TestType>(ctx, x, {weight, bias}, logits);
        if (all_parts) backend::cap<TestType>(ctx, logits.view(), 5);
        for (index r = 0; r < rows; ++r) {
            CAPTURE(vocabulary, r);
            index const reference = references[static_cast<std::size_t>(r)];
            auto const own = log_probabilities<TestType>(logits[r]),
                       other = log_probabilities<TestType>(logits[reference]);
            auto const& summary = got.summaries[static_cast<std::size_t>(r)];
            CHECK(std::abs(summary.log_sum_exp - (static_cast<double>(logits(r, 0)) - own[0])) <= bound);
            CHECK(std::abs(summary.kl_from_reference - divergence(other, own)) <= bound * (1 + divergence(other, own)));
            CHECK(std::abs(summary.kl_to_reference - divergence(own, other)) <= bound * (1 + divergence(own, other)));
            if (reference == r) {
                CHECK(summary.kl_from_reference == 0);
                CHECK(summary.kl_to_reference == 0);
            }
            std::vector<index> order(static_cast<std::size_t>(vocabulary));
            std::iota(order.begin(), order.end(), 0);
            std::stable_sort(order.begin(), order.end(), [&](index a, index b) { return logits(r, a) > logits(r, b); });
            for (index i = 0; i < k; ++i) {
                REQUIRE(got.best(r, i).token == order[static_cast<std::size_t>(i)]);
                REQUIRE(got.best(r, i).logit == logits(r, order[static_cast<std::size_t>(i)]));
            }
        }
    }
}

TEST_CASE("of equal logits the smaller token comes first", "[backend][logits]") {
    buffer<float, 2> weight({600, 2});
    for (index const v : {599, 300, 255, 40}) weight(v, 0) = 1;
    buffer<float, 2> x({1, 2});
    x(0, 0) = 2;
    auto const got = read<float>(x, backend::linear_weight<float>{weight}, {0}, 5);
    std::vector<index> tokens;
    for (auto const& one : got.best.flat()) tokens.push_back(one.token);
    CHECK(tokens == std::vector<index>{40, 255, 300, 599, 0});
}

TEST_CASE("logits of any size give finite summaries", "[backend][logits]") {
    auto x = random_buffer<float, 2>({3, 8}, 1, 1e4);
    auto const got =
        read<float>(x, backend::linear_weight<float>{random_buffer<float, 2>({500, 8}, 2, 1e3)}, {0, 0, 0}, 2);
    for (auto const& one : got.summaries) {
        CHECK(std::isfinite(one.log_sum_exp));
        CHECK(one.kl_from_reference >= 0);
    }
    CHECK(got.summaries[1].kl_from_reference > 100);
}

TEMPLATE_TEST_CASE("a row's summary has the same bits in any company", "[backend][logits]", float, double) {
    index const width = 65, vocabulary = 700;
    backend::linear_weight<TestType> const weight{random_buffer<TestType, 2>({vocabulary, width}, 1)};
    auto const pair = random_buffer<TestType, 2>({2, width}, 2);
    auto const alone = read(pair, weight, {0, 0}, 3);
    auto many = random_buffer<TestType, 2>({20, width}, 3, 5);
    std::copy_n(pair.data(), width, many[4].data());
    std::copy_n(pair[1].data(), width, many[17].data());
    std::vector<index> references(20, 0);
    for (std::size_t r = 4; r < 20; ++r) references[r] = 4;
    auto const among = read(many, weight, references, 3);
    CHECK(same_bits(among.summaries[17].log_sum_exp, alone.summaries[1].log_sum_exp));
    CHECK(same_bits(among.summaries[17].kl_from_reference, alone.summaries[1].kl_from_reference));
    CHECK(same_bits(among.summaries[17].kl_to_reference, alone.summaries[1].kl_to_reference));
    for (index i = 0; i < 3; ++i) CHECK(among.best(17, i).token == alone.best(1, i).token);
}

TEST_CASE("extents of summaries that do not fit are errors", "[backend][logits][errors]") {
    backend::linear_weight<float> const weight{random_buffer<float, 2>({10, 4}, 1)};
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 5}, 2), weight, {0, 0}, 1), shape_error);
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 4}, 2), weight, {0}, 1), shape_error);
    CHECK_THROWS_AS(read(random_buffer<float, 2>({2, 4}, 2), weight, {0, 0}, 11), shape_error);
}

}  // namespace
