#include <plateau/backend/cuda.hpp>

#include <numeric>
#include <utility>
#include <vector>

#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using backend::logit_blocks;
using plateau::index;
using tensor::buffer;

/// An unembedding and rows for it.
template <class T>
struct problem {
    buffer<T, 2> x, weight;
    buffer<T, 1> bias = {};
    T cap = 0;
    std::vector<index> references = {}, targets = {};

    index rows() const { return x.extent(0); }
    index vocabulary() const { return weight.extent(0); }
};

/// The problem's head on the device, and what it is called with.
template <class T>
struct device_head {
    device_rows<T> x;
    backend::device_weight<T> weight;
    backend::device_buffer<T, 1> bias;
    backend::linear_parameters<backend::cuda_context, T> layer{weight, bias};

    device_head(backend::cuda_context const& ctx, problem<T> const& p, index gap)
        : x{ctx, p.x, gap}, weight{ctx, p.weight}, bias{backend::to_device(ctx, p.bias)} {}
};

/// What is said of each row: log Σ e^l, KL from and to the reference, then k logits and their tokens.
constexpr index numbers_of_row(index k) { return 3 + 2 * k; }

template <class T>
buffer<double, 2> in_one(std::vector<backend::logit_summary> const& summaries,
                         buffer<backend::scored_token<T>, 2> const& best) {
    index const rows = best.extent(0), k = best.extent(1);
    buffer<double, 2> all({rows, numbers_of_row(k)});
    for (index r = 0; r < rows; ++r) {
        auto const& s = summaries[static_cast<std::size_t>(r)];
        all(r, 0) = s.log_sum_exp;
        all(r, 1) = s.kl_from_reference;
        all(r, 2) = s.kl_to_reference;
        for (index i = 0; i < k; ++i) {
            all(r, 3 + i) = static_cast<double>(best(r, i).logit);
            all(r, 3 + k + i) = static_cast<double>(best(r, i).token);
        }
    }
    return all;
}

template <class T>
buffer<double, 2> on_device(backend::cuda_context const& ctx, problem<T> const& p, index k, logit_blocks blocks = {},
                            index gap = 0) {
    device_head<T> on{ctx, p, gap};
    std::vector<backend::logit_summary> summaries(p.references.size());
    buffer<backend::scored_token<T>, 2> best({p.rows(), k});
    backend::summarise_logits<T>(ctx, on.x, on.layer, p.cap, p.references, summaries, best, blocks);
    return in_one(summaries, best);
}

template <class T>
buffer<double, 2> in_all_orders(problem<T> const& p, index k, logit_blocks blocks = {}, index gap = 0) {
    return in_every_order([&](backend::cuda_context const& ctx) { return on_device(ctx, p, k, blocks, gap); });
}

template <class T>
buffer<double, 2> on_host(problem<T> const& p, index k) {
    std::vector<backend::logit_summary> summaries(p.references.size());
    buffer<backend::scored_token<T>, 2> best({p.rows(), k});
    backend::linear_weight<T> const weight{p.weight};
    backend::summarise_logits<T>(on_cpu, p.x, {weight, p.bias}, p.cap, p.references, summaries, best);
    return in_one(summaries, best);
}

/// The logits that the device sees, by blocks of tokens.
template <class T>
buffer<T, 2> logits_of(problem<T> const& p, index tokens) {
    backend::cuda_context const ctx;
    device_head<T> on{ctx, p, 0};
    buffer<T, 2> all({p.rows(), p.vocabulary()});
    for (index first = 0; first < p.vocabulary(); first += tokens) {
        index const count = std::min(tokens, p.vocabulary() - first);
        backend::device_buffer<T, 2> some{ctx, {p.rows(), count}};
        backend::linear_outputs<T>(ctx, on.x, on.layer, first, count, some.view());
        if (p.cap > 0) backend::cap<T>(ctx, some.view(), p.cap);
        auto const here = backend::to_host(ctx, some);
        for (index r = 0; r < p.rows(); ++r) std::copy_n(here[r].data(), count, all[r].data() + first);
    }
    return all;
}

/// Σ in double: {log Σ e^l, KL from the reference, KL to it}.
template <class T>
std::array<double, 3> plain_summary(buffer<T, 2> const& logits, index r, index reference) {
    auto const log_sum_exp = [&](index row) {
        double const top =
            static_cast<double>(*std::max_element(logits[row].data(), logits[row].data() + logits.extent(1)));
        double sum = 0;
        for (T const l : logits[row].flat()) sum += std::exp(static_cast<double>(l) - top);
        return top + std::log(sum);
    };
    double const own = log_sum_exp(r), other = log_sum_exp(reference);
    double from = 0, to = 0;
    for (index v = 0; v < logits.extent(1); ++v) {
        double const p = static_cast<double>(logits(r, v)) - own, q = static_cast<double>(logits(reference, v)) - other;
        from += std::exp(q) * (q - p);
        to += std::exp(p) * (p - q);
    }
    return {own, from, to};
}

template <class T>
std::vector<index> tokens_in_order(buffer<T, 2> const& logits, index r) {
    std::vector<index> order(static_cast<std::size_t>(logits.extent(1)));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](index a, index b) { return logits(r, a) > logits(r, b); });
    return order;
}

using pair = std::pair<index, index>;

template <class T>
problem<T> random_problem(index vocabulary, bool all_parts) {
    problem<T> p{random_buffer<T, 2>({9, 33}, 1, 3), random_buffer<T, 2>({vocabulary, 33}, 2)};
    p.references = {0, 0, 0, 3, 3, 5, 5, 5, 3};
    for (index r = 0; r < 9; ++r) p.targets.push_back(r == 8 ? vocabulary - 1 : r * 37 % vocabulary);
    if (!all_parts) return p;
    p.bias = random_buffer<T, 1>({vocabulary}, 3);
    p.cap = T(5);
    return p;
}

/// Of exponentials that are formed in T, relative to their sum and to 1 + the divergence.
template <class T>
double exponential_bound() {
    return std::is_same_v<T, float> ? 2e-6 : 1e-12;
}

TEMPLATE_TEST_CASE("summaries of logits are those of the logits themselves", "[cuda][logits]", float, double) {
    auto const [vocabulary, tokens] =
        GENERATE(pair{1, 64}, pair{7, 4096}, pair{64, 64}, pair{129, 64}, pair{1000, 300}, pair{1000, 4096});
    index const gap = tokens == 300 ? 1 : 0;
    auto const p = random_problem<TestType>(vocabulary, vocabulary % 2 == 1);
    index const k = std::min<index>(vocabulary, 7);
    auto const got = in_all_orders(p, k, {.tokens = tokens}, gap);
    auto const logits = logits_of(p, tokens);
    double const bound = exponential_bound<TestType>();
    for (index r = 0; r < p.rows(); ++r) {
        CAPTURE(vocabulary, r);
        index const reference = p.references[static_cast<std::size_t>(r)];
        auto const [sum, from, to] = plain_summary(logits, r, reference);
        REQUIRE_THAT(got(r, 0), WithinAbs(sum, bound * (1 + std::abs(sum))));
        REQUIRE_THAT(got(r, 1), WithinAbs(from, bound * (1 + from)));
        REQUIRE_THAT(got(r, 2), WithinAbs(to, bound * (1 + to)));
        if (reference == r) {
            REQUIRE(got(r, 1) == 0);
            REQUIRE(got(r, 2) == 0);
        }
        auto const order = tokens_in_order(logits, r);
        for (index i = 0; i < k; ++i) {
            index const token = order[static_cast<std::size_t>(i)];
            REQUIRE(got(r, 3 + k + i) == static_cast<double>(token));
            REQUIRE(got(r, 3 + i) == static_cast<double>(logits(r, token)));
        }
    }
}

TEMPLATE_TEST_CASE("summaries of logits are those of the CPU", "[cuda][logits]", float, double) {
    auto const p = random_problem<TestType>(700, true);
    auto const device = in_all_orders(p, 3, {.tokens = 256}), cpu = on_host(p, 3);
    // logits of size 5 whose sums are rounded in another order
    double const bound = exponential_bound<TestType>() + sum_tolerance<TestType>(33, 100);
    for (index r = 0; r < p.rows(); ++r) {
        for (index i = 0; i < 6; ++i)
            REQUIRE_THAT(device(r, i), WithinAbs(cpu(r, i), bound * (1 + std::abs(cpu(r, i)))));
        for (index i = 6; i < 9; ++i) REQUIRE(device(r, i) == cpu(r, i));
    }
}

TEMPLATE_TEST_CASE("more best tokens than a block of tokens has", "[cuda][logits]", float, double) {
    auto p = random_problem<TestType>(70, false);
    p.x = random_buffer<TestType, 2>({3, 33}, 1);
    p.references = {0, 0, 0};
    auto const got = in_all_orders(p, 70, {.tokens = 32});
    auto const logits = logits_of(p, 32);
    for (index r = 0; r < p.rows(); ++r) {
        auto const order = tokens_in_order(logits, r);
        for (index i = 0; i < 70; ++i)
            REQUIRE(got(r, 3 + 70 + i) == static_cast<double>(order[static_cast<std::size_t>(i)]));
    }
}

TEMPLATE_TEST_CASE("of equal logits the smaller token comes first, and NaN last", "[cuda][logits]", float, double) {
    problem<TestType> p{buffer<TestType, 2>({1, 2}), buffer<TestType, 2>({310, 2})};
    for (index const v : {309, 300, 299, 255, 40}) p.weight(v, 0) = 1;
    p.weight(7, 0) = std::numeric_limits<TestType>::quiet_NaN();
    p.x(0, 0) = 2;
    p.references = {0};
    index const tokens = sizeof(TestType) == 4 ? 100 : 4096;
    auto const got = in_all_orders(p, 310, {.tokens = tokens});
    std::vector<double> const first(got.data() + 3 + 310, got.data() + 3 + 310 + 6);
    CHECK(first == std::vector<double>{40, 255, 299, 300, 309, 0});
    CHECK(got(0, 3 + 310 + 309) == 7);
    CHECK(std::isnan(got(0, 0)));
}

TEMPLATE_TEST_CASE("a row has the same bits in any company, near its reference or far from it", "[cuda][logits]", float,
                   double) {
    problem<TestType> two{random_buffer<TestType, 2>({2, 65}, 2), random_buffer<TestType, 2>({300, 65}, 1)};
    two.references = {0, 0};
    auto const alone = in_all_orders(two, 3, {.tokens = 128});
    problem<TestType> many{random_buffer<TestType, 2>({24, 65}, 3, 5), two.weight.clone()};
    many.references.assign(24, 0);
    for (std::size_t r = 3; r < 24; ++r) many.references[r] = r % 3 == 0 ? static_cast<index>(r) : r < 12 ? 3 : 0;
    many.references[4] = 4;
    many.references[22] = 4;
    std::copy_n(two.x.data(), 65, many.x[4].data());
    std::copy_n(two.x[1].data(), 65, many.x[22].data());
    backend::cuda_context const ctx;
    auto const whole = on_device(ctx, many, 3, {.tokens = 128});
    CHECK(same_bits(whole[22].data(), alone[1].data(), whole.extent(1)));
    // blocks of two rows and of some, with copies of references in nearly all of them
    std::size_t const bytes_of_row = (128 + 65) * sizeof(TestType);
    for (std::size_t const rows : {std::size_t{0}, std::size_t{7}}) {
        CAPTURE(rows);
        CHECK(same_rows(on_device(ctx, many, 3, {128, rows * bytes_of_row}), whole));
    }
}

TEMPLATE_TEST_CASE("logits of any size give finite summaries", "[cuda][logits]", float, double) {
    problem<TestType> p{random_buffer<TestType, 2>({3, 8}, 1, 1e4), random_buffer<TestType, 2>({500, 8}, 2, 1e3)};
    p.references = {0, 0, 0};
    p.targets = {0, 1, 499};
    auto const got = in_all_orders(p, 2, {.tokens = 64});
    for (index r = 0; r < 3; ++r) {
        CHECK(std::isfinite(got(r, 0)));
        CHECK(got(r, 1) >= 0);
        CHECK(std::isfinite(got(r, 1)));
        CHECK(got(r, 2) >= 0);
        CHECK(std::isfinite(got(r, 2)));
    }
    CHECK(got(1, 1) > 100);
}

TEMPLATE_TEST_CASE("what is not a number stays none", "[cuda][logits]", float, double) {
    problem<TestType> p{random_buffer<TestType, 2>({3, 8}, 1), random_buffer<TestType, 2>({50, 8}, 2)};
    p.references = {0, 0, 2};
    for (TestType& value : p.x[0].flat()) value = std::numeric_limits<TestType>::quiet_NaN();
    auto const got = in_all_orders(p, 1);
    CHECK(std::isnan(got(0, 0)));
    CHECK(std::isnan(got(1, 1)));
    CHECK(std::isnan(got(1, 2)));
    CHECK(std::isfinite(got(1, 0)));
    CHECK(std::isfinite(got(2, 0)));
    CHECK(got(2, 1) == 0);
}

template <class T>
buffer<double, 1> chosen(backend::cuda_context const& ctx, problem<T> const& p, logit_blocks blocks = {},
                         index gap = 0) {
    device_head<T> on{ctx, p, gap};
    buffer<double, 1> result({p.rows()});
    backend::log_probabilities<T>(ctx, on.x, on.layer, p.cap, p.targets, result.view().flat(), blocks);
    return result;
}

TEMPLATE_TEST_CASE("log probabilities are those of the logits themselves, and the CPU's", "[cuda][logits]", float,
                   double) {
    index const vocabulary = GENERATE(1, 65, 1000), tokens = GENERATE(64, 4096);
    auto const p = random_problem<TestType>(vocabulary, vocabulary % 2 == 1);
    auto const got =
        in_every_order([&](backend::cuda_context const& ctx) { return chosen(ctx, p, {.tokens = tokens}, 1); });
    std::vector<double> cpu(p.targets.size());
    backend::linear_weight<TestType> const weight{p.weight};
    backend::log_probabilities<TestType>(on_cpu, p.x, {weight, p.bias}, p.cap, p.targets, cpu);
    auto const logits = logits_of(p, tokens);
    double const bound = exponential_bound<TestType>();
    for (index r = 0; r < p.rows(); ++r) {
        auto const i = static_cast<std::size_t>(r);
        double const expected = static_cast<double>(logits(r, p.targets[i])) - plain_summary(logits, r, r)[0];
        REQUIRE_THAT(got(r), WithinAbs(expected, bound * (1 + std::abs(expected))));
        REQUIRE_THAT(got(r), WithinAbs(cpu[i], (bound + sum_tolerance<TestType>(33, 100)) * (1 + std::abs(expected))));
    }
    // few rows at a time
    backend::cuda_context const ctx;
    CHECK(same_bits(chosen(ctx, p, {.tokens = tokens, .bytes = 0}).data(), got.data(), got.size()));
}

TEST_CASE("readings of logits refuse what does not fit", "[cuda][logits]") {
    backend::cuda_context const ctx;
    auto const say = [&](std::vector<index> const& references, index k, std::array<index, 2> rows = {3, 4}) {
        problem<float> p{random_buffer<float, 2>(rows, 1), random_buffer<float, 2>({10, 4}, 2)};
        p.references = references;
        p.targets = references;
        on_device(ctx, p, k);
    };
    CHECK_THROWS_AS(say({0, 0, 0}, 1, {3, 5}), shape_error);
    CHECK_THROWS_AS(say({0, 0}, 1), shape_error);
    CHECK_THROWS_AS(say({0, 0, 0}, 11), shape_error);
    CHECK_THROWS_AS(say({0, 2, 2}, 1), shape_error);
    CHECK_THROWS_AS(say({0, 0, 1}, 1), shape_error);
    CHECK_THROWS_AS(say({0, -1, 0}, 1), shape_error);
    say({}, 1, {0, 4});
    problem<float> p{random_buffer<float, 2>({2, 4}, 1), random_buffer<float, 2>({10, 4}, 2)};
    for (auto const& targets : {std::vector<index>{0}, {0, 10}, {-1, 0}}) {
        p.targets = targets;
        CHECK_THROWS_AS(chosen(ctx, p), shape_error);
    }
    p.targets = {0, 1};
    p.x = random_buffer<float, 2>({2, 5}, 1);
    CHECK_THROWS_AS(chosen(ctx, p), shape_error);
}

}  // namespace
