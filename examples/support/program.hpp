#pragma once
/// What all programs share: options, prompts, the model, errors and results.

#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include <plateau/core/pinned.hpp>
#include <plateau/core/progress.hpp>
#include <plateau/core/table.hpp>
#include <plateau/models/shuffled_weights.hpp>

#include "options.hpp"
#include "prompts.hpp"
#include "results.hpp"

namespace program {

/// Parses the command line, runs `body`, and turns what goes wrong into one message and an exit status:
/// 2 for wrong usage, 1 for anything else.
template <class Body>
int run(CLI::App& app, int argc, char** argv, Body&& body) {
    std::signal(SIGXFSZ,
                SIG_IGN);  // a file that may not grow, a reader that went away: errors to report, not to die of
    std::signal(SIGPIPE, SIG_IGN);
    try {
        app.parse(argc, argv);
        body();
        if (!std::cout.flush())
            std::cerr << app.get_name() << ": stdout cannot be written to; the files are complete\n";
        return 0;
    } catch (CLI::ParseError const& problem) {
        if (problem.get_exit_code() == 0) return app.exit(problem);  // --help, --version
        std::cerr << app.get_name() << ": " << problem.what() << "; see --help\n";
        return 2;
    } catch (plateau::usage_error const& problem) {
        std::cerr << app.get_name() << ": " << problem.what() << '\n';
        return 2;
    } catch (std::bad_alloc const&) {
        std::cerr << app.get_name() << ": out of memory: ask for fewer prompts, steps or sites at a time\n";
    } catch (std::exception const& problem) {
        std::cerr << app.get_name() << ": " << problem.what() << '\n';
    }
    return 1;
}

class stopwatch {
public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The model with the weights that --weights names.
template <class T, class Context>
plateau::models::language_model<Context, T> load_model(common_options const& o, Context const& ctx,
                                                       plateau::dtype storage) {
    if (o.weights == "random") return plateau::models::load_random<T>(o.model, ctx, o.seed, storage);
    if (o.weights == "shuffled") return plateau::models::load_shuffled<T>(o.model, ctx, o.seed, storage);
    return plateau::models::load<T>(o.model, ctx, storage);
}

/// Calls body(context, model, load_seconds) with the model in the arithmetic that --dtype names.
template <class Context, class Body>
void with_model_on(Context const& ctx, common_options const& o, Body const& body) {
    stopwatch const watch;
    if (o.dtype == "fp64") {
        auto const model = load_model<double>(o, ctx, plateau::dtype::f64);
        body(ctx, model, watch.seconds());
    } else {
        auto const model = load_model<float>(o, ctx, o.dtype == "bf16" ? plateau::dtype::bf16 : plateau::dtype::f32);
        body(ctx, model, watch.seconds());
    }
}

#if PLATEAU_HAS_CUDA
/// The device that --backend asks for: none for cpu, and none for auto where there is none, which it says.
/// @throws device_error where --backend cuda finds none
inline std::unique_ptr<plateau::backend::cuda_context> device_of(common_options const& o) {
    if (o.backend == "cpu") return nullptr;
    try {
        using plateau::backend::float_products;
        auto const products = o.products == "tf32"     ? float_products::tf32
                              : o.products == "bf16x3" ? float_products::bf16x3
                                                       : float_products::fp32;
        auto device = std::make_unique<plateau::backend::cuda_context>(products);
        device->on_notice([](std::string const& text) { std::cerr << text << '\n'; });
        if (o.backend == "auto") std::cerr << "backend: cuda (" << device->device_name() << ")\n";
        return device;
    } catch (plateau::device_error const& why) {
        if (o.backend == "cuda") throw;
        std::cerr << "backend: cpu (" << why.what() << ")\n";
        return nullptr;
    }
}
#endif

/// Calls body(context, model, load_seconds) with the model in the arithmetic that --dtype names, where --backend says.
template <class Body>
void with_model(common_options const& o, Body const& body) {
#if PLATEAU_HAS_CUDA
    if (auto const device = device_of(o)) return with_model_on(*device, o, body);
#else
    if (o.backend == "cuda")
        throw plateau::usage_error(
            "--backend cuda: this build has no CUDA backend; configure with -DPLATEAU_CUDA=ON, or use --backend cpu or "
            "auto");
    if (o.backend == "auto") std::cerr << "backend: cpu (this build has no CUDA backend)\n";
#endif
    plateau::backend::cpu_context const ctx{o.threads};
    std::optional<plateau::pinned> held;
    if (o.pin && !held.emplace(ctx.threads()).held()) {
        std::cerr << "--pin: there are not " << ctx.threads()
                  << " processors to hold the threads on; they run where the system puts them\n";
    }
    with_model_on(ctx, o, body);
}

}  // namespace program
