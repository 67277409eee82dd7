#include <plateau/backend/cpu/sign_codes.hpp>

#include <array>
#include <limits>

#include "support/catch.hpp"
#include "support/random.hpp"

namespace {

using namespace plateau;
using plateau::index;
using plateau::tensor::buffer;

backend::cpu_context const ctx{1};

TEMPLATE_TEST_CASE("bits of sign codes are the signs, and nothing else", "[backend][sign_codes]", float, double) {
    index const width = GENERATE(1, 7, 32, 63, 64, 65, 129, 1000);
    auto x = testing::random_buffer<TestType, 2>({4, width}, 1);
    using limits = std::numeric_limits<TestType>;
    std::array const special{TestType(0),        TestType(-0.0),      limits::quiet_NaN(),
                             limits::infinity(), -limits::infinity(), limits::denorm_min()};
    for (index i = 0; i < x.size(); i += 3) x.data()[i] = special[static_cast<std::size_t>(i / 3) % special.size()];
    buffer<std::uint64_t, 2> codes({4, backend::words_of_signs(width)});
    for (auto& word : codes.flat()) word = ~std::uint64_t{0};
    backend::sign_codes<TestType>(ctx, x, codes);
    for (index r = 0; r < 4; ++r) {
        for (index i = 0; i < 64 * codes.extent(1); ++i) {
            bool const positive = i < width && x(r, i) > 0;
            if ((codes(r, i / 64) >> i % 64 & 1) != positive) FAIL("bit " << i << " of row " << r);
        }
    }
}

TEST_CASE("distances of sign codes count the signs that differ", "[backend][sign_codes]") {
    auto x = testing::random_buffer<float, 2>({3, 130}, 1);
    for (index i = 0; i < 130; ++i) x(2, i) = i % 10 == 0 ? -x(1, i) : x(1, i);
    buffer<std::uint64_t, 2> codes({3, 3});
    backend::sign_codes<float>(ctx, x, codes);
    buffer<index, 1> which({3}), distances({3});
    which(0) = which(2) = 1;
    which(1) = 1;
    backend::hamming_distances(ctx, codes.view(), codes.view(), which.view(), distances.view());
    index different = 0;
    for (index i = 0; i < 130; ++i) different += (x(0, i) > 0) != (x(1, i) > 0);
    CHECK(distances(0) == different);
    CHECK(distances(1) == 0);
    CHECK(distances(2) == 13);
}

TEST_CASE("sign codes refuse extents that do not fit", "[backend][sign_codes][errors]") {
    buffer<float, 2> const x({3, 65});
    buffer<std::uint64_t, 2> narrow({3, 1}), codes({3, 2});
    buffer<index, 1> two({2}), three({3});
    CHECK_THROWS_AS(backend::sign_codes<float>(ctx, x, narrow), shape_error);
    CHECK_THROWS_AS(backend::hamming_distances(ctx, codes.view(), narrow.view(), three.view(), three.view()),
                    shape_error);
    CHECK_THROWS_AS(backend::hamming_distances(ctx, codes.view(), codes.view(), two.view(), three.view()), shape_error);
    CHECK_THROWS_AS(backend::hamming_distances(ctx, codes.view(), codes.view(), three.view(), two.view()), shape_error);
}

}  // namespace
