#include <plateau/backend/cuda/sign_codes.hpp>

#include "backend/cuda/on_device.hpp"

namespace {

using namespace plateau;
using namespace plateau::testing;
using plateau::index;
using tensor::buffer;

/// Normal numbers with zeros of both signs, NaN and infinities among them.
template <class T>
buffer<T, 2> numbers_of_all_kinds(index rows, index columns, std::uint64_t seed) {
    auto x = random_buffer<T, 2>({rows, columns}, seed);
    std::array const special{T(0),
                             T(-0.0),
                             std::numeric_limits<T>::quiet_NaN(),
                             std::numeric_limits<T>::infinity(),
                             -std::numeric_limits<T>::infinity(),
                             std::numeric_limits<T>::denorm_min()};
    for (index i = 0; i < x.size(); i += 5) x.data()[i] = special[static_cast<std::size_t>(i / 5) % special.size()];
    return x;
}

TEMPLATE_TEST_CASE("sign codes are those of the CPU, and of a plain loop", "[cuda][sign_codes]", float, double) {
    index const width = GENERATE(1, 7, 32, 63, 64, 65, 129, 1000, 2500), gap = GENERATE(0, 1, 3);
    auto const x = numbers_of_all_kinds<TestType>(6, width, 1);
    auto const codes = in_every_order([&](backend::cuda_context const& ctx) {
        device_rows<TestType> rows{ctx, x, gap};
        backend::device_buffer<std::uint64_t, 2> out{ctx, {6, backend::words_of_signs(width)}};
        backend::sign_codes<TestType>(ctx, rows, out.view());
        return backend::to_host(ctx, out);
    });
    buffer<std::uint64_t, 2> cpu(codes.extents());
    backend::sign_codes<TestType>(on_cpu, x, cpu.view());
    REQUIRE(same_rows(codes, cpu));
    for (index r = 0; r < 6; ++r) {
        for (index i = 0; i < 64 * codes.extent(1); ++i) {
            bool const positive = i < width && x(r, i) > 0;
            if ((codes(r, i / 64) >> i % 64 & 1) != positive) FAIL("bit " << i << " of row " << r);
        }
    }
}

TEMPLATE_TEST_CASE("distances of sign codes are those of the CPU, and of a plain loop", "[cuda][sign_codes]", float,
                   double) {
    index const words = GENERATE(1, 2, 7, 63, 65, 150), gap = GENERATE(0, 1);
    auto const random_codes = [&](index rows, std::uint64_t seed) {
        buffer<std::uint64_t, 2> codes({rows, words + gap});
        backend::sign_codes<TestType>(on_cpu, random_buffer<TestType, 2>({rows, 64 * (words + gap)}, seed),
                                      codes.view());
        return codes;
    };
    auto const all = random_codes(6, 1), references = random_codes(3, 2);
    buffer<index, 1> which({6});
    for (index r = 0; r < 6; ++r) which(r) = (r * 2) % 3;
    auto const without_gap = [&](auto view) {
        return decltype(view){view.data(), {view.extent(0), words}, view.strides()};
    };
    auto const distances = in_every_order([&](backend::cuda_context const& ctx) {
        auto const codes = backend::to_device(ctx, all), others = backend::to_device(ctx, references);
        auto const numbers = backend::to_device(ctx, which);
        backend::device_buffer<index, 1> out{ctx, {6}};
        backend::hamming_distances(ctx, without_gap(codes.view()), without_gap(others.view()), numbers.view(),
                                   out.view());
        return backend::to_host(ctx, out);
    });
    buffer<index, 1> cpu({6});
    backend::hamming_distances(on_cpu, without_gap(all.view()), without_gap(references.view()), which.view(),
                               cpu.view());
    for (index r = 0; r < 6; ++r) {
        index bits = 0;
        for (index i = 0; i < 64 * words; ++i)
            bits += (all(r, i / 64) >> i % 64 & 1) != (references(which(r), i / 64) >> i % 64 & 1);
        REQUIRE(distances(r) == bits);
        REQUIRE(cpu(r) == bits);
    }
}

TEST_CASE("sign codes refuse extents that do not fit", "[cuda][sign_codes]") {
    backend::cuda_context const ctx;
    backend::device_buffer<float, 2> const x{ctx, {3, 65}};
    backend::device_buffer<std::uint64_t, 2> narrow{ctx, {3, 1}}, codes{ctx, {3, 2}};
    backend::device_buffer<index, 1> three{ctx, {3}}, two{ctx, {2}};
    CHECK_THROWS_AS(backend::sign_codes<float>(ctx, x, narrow.view()), shape_error);
    CHECK_THROWS_AS(backend::hamming_distances(ctx, codes.view(), narrow.view(), three.view(), three.view()),
                    shape_error);
    CHECK_THROWS_AS(backend::hamming_distances(ctx, codes.view(), codes.view(), two.view(), three.view()), shape_error);
    CHECK_THROWS_AS(backend::hamming_distances(ctx, codes.view(), codes.view(), three.view(), two.view()), shape_error);
}

}  // namespace
