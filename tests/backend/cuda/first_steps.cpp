// A program of plain C++ on a real device: links plateau::cuda, and says so where there is no device.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <utility>

#include <plateau/backend/cuda.hpp>

namespace {

using namespace plateau;
using plateau::index;

/// Rows (1, 2, 3, ..., 65), added to themselves and normalised: the mean square is 1.
int run() {
    backend::cuda_context const ctx;
    tensor::buffer<float, 2> x({3, 65});
    for (index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 65 + 1);
    auto rows = backend::to_device(ctx, x);
    backend::add<float>(ctx, rows, rows.view());
    backend::norm<float>(ctx, norm_kind::rms, rows, 0, {}, {}, rows.view());
    auto const y = backend::to_host(ctx, rows);
    for (index r = 0; r < 3; ++r) {
        double squares = 0;
        for (float value : y[r].flat()) squares += static_cast<double>(value) * static_cast<double>(value);
        if (!(std::abs(squares / 65 - 1) < 1e-5)) {
            std::fprintf(stderr, "row %d has a mean square of %g instead of 1\n", static_cast<int>(r), squares / 65);
            return 1;
        }
    }
    return 0;
}

/// What blas.hpp expects of cuBLASLt: a row has the same bits alone and in any place of larger blocks.
template <class T>
bool row_bits_stay(char const* name, backend::float_products products, bool bf16) {
    backend::cuda_context const ctx{products};
    for (auto const& [outputs, inputs] : {std::pair<index, index>{576, 576}, {1536, 576}, {576, 1536}, {2304, 768}, {50257, 768}, {33, 65}}) {
        tensor::buffer<T, 2> w({outputs, inputs});
        for (index i = 0; i < w.size(); ++i) w.data()[i] = static_cast<T>(i * 7919 % 1009 - 504) / 1009;
        tensor::buffer<bfloat16, 2> rounded({bf16 ? outputs : 0, inputs});
        for (index i = 0; i < rounded.size(); ++i) rounded.data()[i] = bfloat16{static_cast<float>(w.data()[i])};
        backend::device_weight<T> weight{ctx, outputs, inputs, bf16 ? dtype::bf16 : dtype_of<T>};
        if (bf16) weight.writer().outputs(0, rounded);
        else weight.writer().outputs(0, w);
        tensor::buffer<T, 2> alone;
        for (index const rows : {1, 7, 50, 65, 128, 129, 1000, 4097}) {
            if (rows * outputs > index{1} << 26) continue;
            tensor::buffer<T, 2> x({rows, inputs});
            index const places[] = {0, rows / 2, rows - 1};
            for (index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<T>(i * 104729 % 2003 - 1001) / 501;
            for (index const place : places) {
                for (index k = 0; k < inputs; ++k) x(place, k) = static_cast<T>(k * 31 % 97 - 48) / 43;
            }
            auto const from = backend::to_device(ctx, x);
            backend::device_buffer<T, 2> y{ctx, {rows, outputs}};
            backend::linear<T>(ctx, from, weight, y.view());
            auto const all = backend::to_host(ctx, y);
            if (rows == 1) alone = all.clone();
            for (index const place : places) {
                if (std::memcmp(all[place].data(), alone.data(), static_cast<std::size_t>(outputs) * sizeof(T)) == 0) continue;
                std::fprintf(stderr, "%s products of %d x %d: row %d of %d has other bits than it has alone\n", name,
                             static_cast<int>(outputs), static_cast<int>(inputs), static_cast<int>(place), static_cast<int>(rows));
                return false;
            }
        }
    }
    return true;
}

int run_all() {
    using enum backend::float_products;
    if (int const status = run(); status != 0) return status;
    bool const stay = row_bits_stay<float>("fp32", fp32, false) & row_bits_stay<float>("tf32", tf32, false) &
                      row_bits_stay<float>("bf16x3", bf16x3, false) & row_bits_stay<float>("bf16", fp32, true) &
                      row_bits_stay<double>("fp64", fp32, false);
    if (!stay) return 1;
    std::puts("the device computes");
    return 0;
}

}  // namespace

int main() {
    try {
        return run_all();
    } catch (device_error const& e) {
        // without a device the message has to name the way out
        bool const helps = std::string_view{e.what()}.find("use --backend cpu") != std::string_view::npos;
        std::printf("%s%s\n", helps ? "skipped: " : "", e.what());
        return helps ? 0 : 1;
    }
}
