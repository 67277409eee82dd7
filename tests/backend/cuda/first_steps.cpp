// A program of plain C++ on a real device: links plateau::cuda, and says so where there is no device.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <plateau/backend/cpu.hpp>
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
    for (auto const& [outputs, inputs] :
         {std::pair<index, index>{576, 576}, {1536, 576}, {576, 1536}, {2304, 768}, {50257, 768}, {33, 65}}) {
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
                if (std::memcmp(all[place].data(), alone.data(), static_cast<std::size_t>(outputs) * sizeof(T)) == 0)
                    continue;
                std::fprintf(stderr, "%s products of %d x %d: row %d of %d has other bits than it has alone\n", name,
                             static_cast<int>(outputs), static_cast<int>(inputs), static_cast<int>(place),
                             static_cast<int>(rows));
                return false;
            }
        }
    }
    return true;
}

bool close(char const* what, double value, double wanted, double tolerance) {
    if (std::abs(value - wanted) <= tolerance) return true;
    std::fprintf(stderr, "%s: %.9g on the device, %.9g on the CPU\n", what, value, wanted);
    return false;
}

/// Readings of logits, attention in steps and sign codes beside those of the CPU.
bool readings_agree() {
    backend::cuda_context const ctx;
    backend::cpu_context const cpu{1};
    index const rows = 300, width = 65, vocabulary = 9001, k = 5;
    tensor::buffer<float, 2> x({rows, width}), w({vocabulary, width});
    for (index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i * 104729 % 2003 - 1001) / 501;
    for (index i = 0; i < w.size(); ++i) w.data()[i] = static_cast<float>(i * 7919 % 1009 - 504) / 1009;
    std::vector<index> references, targets;
    for (index r = 0; r < rows; ++r) {
        references.push_back(r / 100 * 100);
        targets.push_back(r * 31 % vocabulary);
    }
    auto const from = backend::to_device(ctx, x);
    backend::device_weight<float> const weight{ctx, w};
    backend::linear_weight<float> const host_weight{w};
    auto const read = [&](auto const& context, auto const& input, auto const& head, std::vector<double>& log_p) {
        std::vector<backend::logit_summary> summaries(references.size());
        tensor::buffer<backend::scored_token<float>, 2> best({rows, k});
        log_p.resize(targets.size());
        backend::summarise_logits<float>(context, input, head, 4.0f, references, summaries, best);
        backend::log_probabilities<float>(context, input, head, 4.0f, targets, log_p);
        return std::pair{std::move(summaries), std::move(best)};
    };
    std::vector<double> log_p, host_log_p;
    auto const [summaries, best] =
        read(ctx, from, backend::linear_parameters<backend::cuda_context, float>{weight}, log_p);
    auto const [host_summaries, host_best] =
        read(cpu, x, backend::linear_parameters<backend::cpu_context, float>{host_weight}, host_log_p);
    bool agree = true;
    for (std::size_t r = 0; r < references.size(); ++r) {
        double const tolerance = 1e-4;  // logits up to 4 of 65 products, in float
        agree &= close("log Σ e^l", summaries[r].log_sum_exp, host_summaries[r].log_sum_exp, tolerance);
        agree &= close("KL from the reference", summaries[r].kl_from_reference, host_summaries[r].kl_from_reference,
                       tolerance);
        agree &=
            close("KL to the reference", summaries[r].kl_to_reference, host_summaries[r].kl_to_reference, tolerance);
        agree &= close("a log probability", log_p[r], host_log_p[r], tolerance);
        for (index i = 0; i < k; ++i) {
            auto const row = static_cast<index>(r);
            agree &= close("a best logit", static_cast<double>(best(row, i).logit),
                           static_cast<double>(host_best(row, i).logit), tolerance);
        }
    }

    // 5 heads of 13 coordinates, one sequence
    backend::attention_shape<float> const shape{5, 5, 13, 0.3f};
    backend::segment<float, backend::device_space> const all{0, rows, {}, {}};
    std::span<backend::segment<float, backend::device_space> const> const segments{&all, 1};
    backend::device_buffer<float, 3> pattern{ctx, {rows, 5, rows}};
    backend::device_buffer<float, 2> in_steps{ctx, {rows, width}}, at_once{ctx, {rows, width}};
    backend::attention_scores<float>(ctx, shape, from, from, segments, pattern.view());
    backend::attention_softmax<float>(ctx, shape, segments, pattern.view());
    backend::attention_mix<float>(ctx, shape, pattern, from, segments, in_steps.view());
    backend::prefix_attention<float>(ctx, shape, from, from, from, segments, at_once.view());
    auto const steps = backend::to_host(ctx, in_steps), once = backend::to_host(ctx, at_once);
    for (index i = 0; i < steps.size(); ++i) {
        agree &= close("attention in steps", static_cast<double>(steps.data()[i]), static_cast<double>(once.data()[i]),
                       1e-4);
    }

    tensor::buffer<index, 1> firsts({rows}), host_distances({rows});
    for (index r = 0; r < rows; ++r) firsts(r) = references[static_cast<std::size_t>(r)];
    tensor::buffer<std::uint64_t, 2> host_codes({rows, backend::words_of_signs(width)});
    backend::device_buffer<std::uint64_t, 2> codes{ctx, host_codes.extents()};
    backend::device_buffer<index, 1> distances{ctx, {rows}};
    auto const which = backend::to_device(ctx, firsts);
    backend::sign_codes<float>(cpu, x, host_codes);
    backend::hamming_distances(cpu, host_codes.view(), host_codes.view(), firsts.view(), host_distances.view());
    backend::sign_codes<float>(ctx, from, codes.view());
    backend::hamming_distances(ctx, codes.view(), codes.view(), which.view(), distances.view());
    auto const counted = backend::to_host(ctx, distances);
    for (index r = 0; r < rows; ++r) {
        agree &= close("a distance of sign codes", static_cast<double>(counted(r)),
                       static_cast<double>(host_distances(r)), 0);
    }
    return agree;
}

bool is_loaded(std::string_view library) {
    std::ifstream maps{"/proc/self/maps"};
    for (std::string line; std::getline(maps, line);) {
        if (line.find(library) != std::string::npos) return true;
    }
    return false;
}

/// cuBLASLt comes with the first product, for those who need none start faster without it; and it is found.
bool blas_comes_late() {
    if (is_loaded("libcublasLt")) {
        std::fputs("cuBLASLt is loaded at the start\n", stderr);
        return false;
    }
    try {
        backend::cuda::blas::load();
    } catch (device_error const& e) {  // not what a machine without a device may lack: this was compiled with it
        std::fprintf(stderr, "%s\n", e.what());
        return false;
    }
    if (is_loaded("libcublasLt")) return true;
    std::fputs("cuBLASLt is not loaded where it is needed\n", stderr);
    return false;
}

int run_all() {
    if (!blas_comes_late()) return 1;
    using enum backend::float_products;
    if (int const status = run(); status != 0) return status;
    bool const stay = row_bits_stay<float>("fp32", fp32, false) & row_bits_stay<float>("tf32", tf32, false) &
                      row_bits_stay<float>("bf16x3", bf16x3, false) & row_bits_stay<float>("bf16", fp32, true) &
                      row_bits_stay<double>("fp64", fp32, false);
    if (!stay || !readings_agree()) return 1;
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
