#include <plateau/backend/cpu.hpp>

#include <limits>

#include "support/catch.hpp"
#include "support/random.hpp"
#include "support/tolerance.hpp"

namespace {

using namespace plateau;
using backend::instruction_set;
using backend::sum_start;
using plateau::index;
using plateau::testing::random_vector;
using plateau::testing::same_bits;

using table = backend::kernel_table<float>;
auto const& exact = backend::plain::table<double>;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

/// The paths that this machine can run.
std::vector<instruction_set> paths() { return backend::possible_instruction_sets(); }

std::vector<double> widened(std::vector<float> const& values) { return {values.begin(), values.end()}; }

/// The distance of a result from the exact value, in units of the last place of a float of the size of `scale`.
double ulps(float result, double wanted, double scale) {
    double const unit = std::ldexp(1.0, std::max(std::ilogb(std::max(std::abs(scale), 1e-300)), -126) - 23);
    return std::abs(static_cast<double>(result) - wanted) / unit;
}

TEST_CASE("every path multiplies rows by a panel, and adds if asked to", "[backend][kernels]") {
    for (auto const path : paths()) {
        auto const& kernels = backend::kernels_of<float>(path);
        for (index const rows : {1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 50}) {
            for (index const depth : {1, 2, 7, 14, 64, 129}) {
                bool const add = (rows + depth) % 2 == 0;
                index const columns = depth % 7 == 0 ? 16 : 64;
                index const a_stride = depth + 3, b_stride = 70, c_stride = 67;
                auto const a = random_vector<float>(rows * a_stride, 1), b = random_vector<float>(depth * b_stride, 2);
                auto c = random_vector<float>(rows * c_stride, 3);
                auto const before = c;
                kernels.multiply({a.data(), a_stride}, {b.data(), b_stride}, columns, rows, depth, {c.data(), c_stride},
                                 !add            ? sum_start::zero
                                 : rows % 2 == 0 ? sum_start::continued
                                                 : sum_start::added_after,
                                 b.data());
                for (index r = 0; r < rows; ++r) {
                    for (index j = 0; j < c_stride; ++j) {
                        auto const at = static_cast<std::size_t>(r * c_stride + j);
                        double sum = add ? static_cast<double>(before[at]) : 0, magnitude = std::abs(sum);
                        for (index k = 0; k < depth; ++k) {
                            double const term = static_cast<double>(a[static_cast<std::size_t>(r * a_stride + k)]) *
                                                static_cast<double>(b[static_cast<std::size_t>(k * b_stride + j)]);
                            sum += term;
                            magnitude += std::abs(term);
                        }
                        CAPTURE(name_of(path), rows, depth, r, j);
                        if (j >= columns) REQUIRE(same_bits(c[at], before[at]));
                        else if (std::abs(static_cast<double>(c[at]) - sum) >
                                 testing::sum_tolerance<float>(depth, magnitude))
                            REQUIRE(false);
                    }
                }
            }
        }
    }
}

TEST_CASE("a product has the same bits whatever its rows and columns, and however its sum is cut",
          "[backend][kernels]") {
    index const rows = 13, depth = 100;
    auto const a = random_vector<float>(rows * depth, 1), b = random_vector<float>(depth * 64, 2);
    for (auto const path : paths()) {
        CAPTURE(name_of(path));
        auto const& kernels = backend::kernels_of<float>(path);
        std::vector<float> whole(rows * 64), pieces(rows * 64);
        kernels.multiply({a.data(), depth}, {b.data(), 64}, 64, rows, depth, {whole.data(), 64}, sum_start::zero,
                         nullptr);
        for (index r = 0; r < rows; ++r) {
            for (index const first : {0, 33}) {
                for (index const column : {0, 16, 32, 48}) {
                    kernels.multiply({a.data() + r * depth + first, depth}, {b.data() + first * 64 + column, 64}, 16, 1,
                                     first == 0 ? 33 : depth - 33, {pieces.data() + r * 64 + column, 64},
                                     first > 0 ? sum_start::continued : sum_start::zero, nullptr);
                }
            }
        }
        CHECK(same_bits(pieces.data(), whole.data(), rows * 64));
    }
}

TEST_CASE("dots of heads are products of queries with the keys of their group", "[backend][kernels]") {
    for (auto const& [heads, width] : std::vector<std::pair<index, index>>{{1, 64}, {6, 40}, {9, 64}, {16, 5}}) {
        index const group = heads % 3 == 0 ? 3 : 1, kv_heads = heads / group;
        auto const q = random_vector<float>(heads * width, 1), k = random_vector<float>(kv_heads * width, 2);
        for (auto const path : paths()) {
            auto const& kernels = backend::kernels_of<float>(path);
            std::vector<float> dots(static_cast<std::size_t>(heads));
            kernels.dot_heads(q.data(), k.data(), heads, group, width, dots.data());
            for (index h = 0; h < heads; ++h) {
                double sum = 0, magnitude = 0;
                for (index e = 0; e < width; ++e) {
                    double const term = static_cast<double>(q[static_cast<std::size_t>(h * width + e)]) *
                                        static_cast<double>(k[static_cast<std::size_t>(h / group * width + e)]);
                    sum += term;
                    magnitude += std::abs(term);
                }
                CAPTURE(name_of(path), heads, h);
                REQUIRE(std::abs(static_cast<double>(dots[static_cast<std::size_t>(h)]) - sum) <=
                        testing::sum_tolerance<float>(width, magnitude));
            }
        }
    }
}

TEST_CASE("a layer in bfloat16 has the same products on every path, but for rounding", "[backend][kernels]") {
    for (index const inputs : {1, 2, 65, 768, 769, 1601}) {
        auto const weight = testing::in_bfloat16(testing::random_buffer<float, 2>({70, inputs}, 1));
        auto const x = testing::random_buffer<float, 2>({8, inputs}, 2);
        backend::linear_weight<float> const packed{weight};
        for (auto const path : paths()) {
            tensor::buffer<float, 2> y({8, 70});
            backend::linear<float>(backend::cpu_context{1, path}, x, packed, y);
            for (index r = 0; r < 8; ++r) {
                for (index n = 0; n < 70; ++n) {
                    double sum = 0, magnitude = 0;
                    for (index k = 0; k < inputs; ++k) {
                        double const term = static_cast<double>(static_cast<float>(bfloat16{x(r, k)})) *
                                            static_cast<double>(static_cast<float>(weight(n, k)));
                        sum += term;
                        magnitude += std::abs(term);
                    }
                    CAPTURE(name_of(path), inputs, r, n);
                    if (std::abs(static_cast<double>(y(r, n)) - sum) > testing::sum_tolerance<float>(inputs, magnitude))
                        REQUIRE(false);
                }
            }
        }
    }
}

TEST_CASE("activations are within a few units in the last place", "[backend][kernels]") {
    struct {
        activation kind;
        double bound;
    } const bounds[] = {
        {activation::silu, 5}, {activation::gelu, 5}, {activation::gelu_tanh, 8}, {activation::relu, 0}};
    constexpr index count = 200'003;
    std::vector<float> x(count), up(count, 2.0f), y(count), gated(count);
    for (index i = 0; i < count; ++i) {
        double const t = static_cast<double>(i) / (count - 1) * 2 - 1;  // dense near 0, and out to 80
        x[static_cast<std::size_t>(i)] = static_cast<float>(80 * t * t * t);
    }
    auto const wide = widened(x);
    std::vector<double> wanted(count);
    for (auto const path : paths()) {
        auto const& kernels = backend::kernels_of<float>(path);
        for (auto const& [kind, bound] : bounds) {
            kernels.activate_rows(kind, {x.data(), 0}, {}, 1, count, {y.data(), 0});
            kernels.activate_rows(kind, {x.data(), 0}, {up.data(), 0}, 1, count, {gated.data(), 0});
            exact.activate_rows(kind, {wide.data(), 0}, {}, 1, count, {wanted.data(), 0});
            double worst = 0, where = 0;
            for (std::size_t i = 0; i < count; ++i) {
                // where the result is far smaller than x, what 1 + erf and e^x lose there is bounded by x itself
                double const scale = std::max(
                    std::abs(wanted[i]), (kind == activation::silu ? 1e-30 : 1.0) * std::min(std::abs(wide[i]), 1.0));
                double const off = ulps(y[i], wanted[i], scale);
                if (off > worst) worst = off, where = wide[i];
                REQUIRE(same_bits(gated[i], 2 * y[i]));
            }
            CAPTURE(name_of(path), static_cast<int>(kind), worst, where);
            CHECK(worst <= bound);
        }
        float const special[] = {not_a_number, infinity, -infinity, 0.0f, 3e38f, -3e38f};
        float out[6];
        kernels.activate_rows(activation::silu, {special, 0}, {}, 1, 6, {out, 0});
        CHECK(std::isnan(out[0]));
        CHECK(out[1] == infinity);
        CHECK(out[3] == 0.0f);
        CHECK(out[4] == 3e38f);
        CHECK(out[5] == 0.0f);
        for (auto const kind : {activation::gelu, activation::gelu_tanh, activation::relu}) {
            kernels.activate_rows(kind, {special, 0}, {}, 1, 6, {out, 0});
            CAPTURE(name_of(path), static_cast<int>(kind));
            CHECK(std::isnan(out[0]));
            CHECK(out[3] == 0.0f);
        }
    }
}

TEST_CASE("softmax sums to one and follows its definition on every path", "[backend][kernels]") {
    for (index const count : {1, 2, 15, 16, 17, 64, 100, 1000}) {
        auto const x = random_vector<float>(count, 1, 8);
        auto wanted = widened(x);
        exact.softmax_row(wanted.data(), count);
        for (auto const path : paths()) {
            auto y = x;
            y.push_back(-7);
            backend::kernels_of<float>(path).softmax_row(y.data(), count);
            CAPTURE(name_of(path), count);
            CHECK(y.back() == -7);
            for (std::size_t i = 0; i + 1 < y.size(); ++i) {
                REQUIRE(std::abs(static_cast<double>(y[i]) - wanted[i]) <= 3e-6 * wanted[i] + 1e-37);
            }
        }
    }
}

TEST_CASE("norms, rotations and sums follow the plain kernels on every path", "[backend][kernels]") {
    for (index const n : {1, 7, 16, 31, 64, 129, 576}) {
        auto const x = random_vector<float>(n, 1), w = random_vector<float>(n, 2), b = random_vector<float>(n, 3);
        auto const wide = widened(x), wide_w = widened(w), wide_b = widened(b);
        std::vector<double> wanted(static_cast<std::size_t>(n));
        std::vector<float> y(static_cast<std::size_t>(n));
        auto const close = [&] {
            for (std::size_t i = 0; i < y.size(); ++i) {
                if (!(std::abs(static_cast<double>(y[i]) - wanted[i]) <= 1e-6 * (1 + std::abs(wanted[i]))))
                    return false;
            }
            return true;
        };
        for (auto const path : paths()) {
            auto const& kernels = backend::kernels_of<float>(path);
            CAPTURE(name_of(path), n);
            CHECK(ulps(kernels.rms_scale_row(x.data(), n, 1e-5), exact.rms_scale_row(wide.data(), n, 1e-5), 1) <= 2);
            CHECK(ulps(kernels.centre_row(x.data(), n, 1e-5, y.data()),
                       exact.centre_row(wide.data(), n, 1e-5, wanted.data()), 1) <= 2);
            CHECK(close());
            kernels.divide_row(x.data(), n, 3, y.data());
            exact.divide_row(wide.data(), n, 3, wanted.data());
            CHECK(close());
            for (int const which : {0, 1, 2, 3}) {
                kernels.affine_row(x.data(), n, which & 1 ? w.data() : nullptr, which & 2 ? b.data() : nullptr,
                                   y.data());
                exact.affine_row(wide.data(), n, which & 1 ? wide_w.data() : nullptr,
                                 which & 2 ? wide_b.data() : nullptr, wanted.data());
                CHECK(close());
            }
            kernels.add_rows({x.data(), 0}, 1, n, {y.data(), 0});
            exact.add_rows({wide.data(), 0}, 1, n, {wanted.data(), 0});
            CHECK(close());
            if (n % 2 != 0) continue;
            y = x, wanted = wide;
            kernels.rotate_row(y.data(), 1, w.data(), b.data(), n / 2);
            exact.rotate_row(wanted.data(), 1, wide_w.data(), wide_b.data(), n / 2);
            CHECK(close());
        }
    }
}

TEST_CASE("a norm at once has the bits of its steps", "[backend][kernels]") {
    for (index const n : {1, 7, 16, 31, 64, 129, 576}) {
        auto const x = random_vector<float>(n, 1), w = random_vector<float>(n, 2), b = random_vector<float>(n, 3);
        for (auto const path : paths()) {
            auto const& kernels = backend::kernels_of<float>(path);
            for (auto const kind : {norm_kind::rms, norm_kind::layer}) {
                for (int const which : {0, 1, 2, 3}) {
                    float const *const weight = which & 1 ? w.data() : nullptr, *const bias =
                                                                                    which & 2 ? b.data() : nullptr;
                    std::vector<float> steps(x), once(x.size() + 1, -7.0f);
                    float const scale = kind == norm_kind::rms ? kernels.rms_scale_row(x.data(), n, 1e-5)
                                                               : kernels.centre_row(x.data(), n, 1e-5, steps.data());
                    kernels.divide_row(steps.data(), n, scale, steps.data());
                    kernels.affine_row(steps.data(), n, weight, bias, steps.data());
                    kernels.norm_row(kind, x.data(), n, 1e-5, weight, bias, once.data());
                    CAPTURE(name_of(path), n, which);
                    CHECK(same_bits(once.data(), steps.data(), n));
                    CHECK(once.back() == -7.0f);
                }
            }
        }
    }
}

TEST_CASE("one value that is not finite is found anywhere", "[backend][kernels]") {
    for (index const n : {1, 15, 16, 17, 40}) {
        auto x = random_vector<float>(n, 1, 1e30);
        for (auto const path : paths()) {
            auto const& kernels = backend::kernels_of<float>(path);
            CAPTURE(name_of(path), n);
            CHECK(kernels.finite_row(x.data(), n));
            for (index i = 0; i < n; ++i) {
                for (float const bad : {infinity, -infinity, not_a_number}) {
                    float const kept = std::exchange(x[static_cast<std::size_t>(i)], bad);
                    REQUIRE_FALSE(kernels.finite_row(x.data(), n));
                    x[static_cast<std::size_t>(i)] = kept;
                }
            }
        }
    }
}

TEST_CASE("rows are added and activated where they stand, the first again and again without a stride",
          "[backend][kernels]") {
    index const rows = 3, n = 21, stride = 25;
    auto const x = random_vector<float>(rows * stride, 1), up = random_vector<float>(rows * stride, 2);
    for (auto const path : paths()) {
        auto const& kernels = backend::kernels_of<float>(path);
        for (index const x_stride : {index{0}, stride}) {
            auto sum = random_vector<float>(rows * stride, 3), act = sum;
            auto const before = sum;
            kernels.add_rows({x.data(), x_stride}, rows, n, {sum.data(), stride});
            kernels.activate_rows(activation::relu, {x.data(), x_stride}, {up.data(), stride}, rows, n,
                                  {act.data(), stride});
            for (index r = 0; r < rows; ++r) {
                for (index i = 0; i < stride; ++i) {
                    auto const at = static_cast<std::size_t>(r * stride + i);
                    float const from = x[static_cast<std::size_t>(r * x_stride + (i < n ? i : 0))];
                    REQUIRE(sum[at] == (i < n ? before[at] + from : before[at]));
                    REQUIRE(act[at] == (i < n ? (from > 0 ? from : 0.0f) * up[at] : before[at]));
                }
            }
        }
    }
}

TEST_CASE("weighted rows are added as a product would add them", "[backend][kernels]") {
    index const rows = 5, n = 64;
    auto const weights = random_vector<float>(rows, 1), x = random_vector<float>(rows * n, 2),
               before = random_vector<float>(rows * n, 3);
    for (auto const path : paths()) {
        auto const& kernels = backend::kernels_of<float>(path);
        auto sum = before, product = before;
        kernels.add_weighted_rows({weights.data(), 1}, {x.data(), n}, rows, n, {sum.data(), n});
        for (index r = 0; r < rows; ++r) {
            kernels.multiply({weights.data() + r, 1}, {x.data() + r * n, n}, 64, 1, 1, {product.data() + r * n, n},
                             sum_start::continued, nullptr);
        }
        CAPTURE(name_of(path));
        CHECK(same_bits(sum.data(), product.data(), rows * n));
    }
}

TEST_CASE("an instruction set is chosen by name, and what cannot be run is refused", "[backend][kernels][errors]") {
    CHECK(backend::instruction_set_named("portable") == instruction_set::portable);
    CHECK(backend::best_instruction_set() <= backend::widest_instruction_set());
    CHECK_THROWS_AS(backend::instruction_set_named("sse9"), usage_error);
    CHECK_THROWS_WITH(
        backend::instruction_set_named(""),
        "there is no instruction set ; there are portable, avx2, avx512, avx512_bf16, amx and amx_emulated");
    CHECK(backend::cpu_context{1, instruction_set::portable}.path() == instruction_set::portable);
}

}  // namespace
