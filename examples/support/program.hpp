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
#include <plateau/engine/model.hpp>

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

/// How --backend, --threads, --weights, --seed and --dtype want the model.
inline plateau::load_options load_options_of(common_options const& o) {
    plateau::load_options options;
    options.backend.on = plateau::backend::device_named(o.backend);
    options.backend.threads = o.threads;
    options.backend.products = plateau::backend::float_products_named(o.products);
    options.backend.notice = [](std::string const& text) { std::cerr << text << '\n'; };
    options.weights = o.weights == "random"     ? plateau::weights::random
                      : o.weights == "shuffled" ? plateau::weights::shuffled
                                                : plateau::weights::stored;
    options.seed = o.seed;
    options.bf16 = o.dtype == "bf16";
    return options;
}

/// Holds the threads of the CPU on as many cores, if --pin asks for it, as long as the result lives.
inline std::unique_ptr<plateau::pinned> pin(common_options const& o, plateau::backend::computer const& by) {
    if (!o.pin || by.backend != "cpu") return nullptr;
    auto held = std::make_unique<plateau::pinned>(by.threads);
    if (!held->held()) {
        std::cerr << "--pin: there are not " << by.threads
                  << " processors to hold the threads on; they run where the system puts them\n";
    }
    return held;
}

/// Calls body(model, load_seconds) with the model in the arithmetic that --dtype names, where --backend says, and gives
/// what it gives. The body is compiled for every arithmetic: best it calls a function that measures, and no more.
template <class Body>
auto with_model(common_options const& o, Body const& body) {
    auto const on = [&]<class T>(T) {
        stopwatch const watch;
        std::unique_ptr<plateau::pinned> held;  // before weights lie where a thread first writes them
        if (o.backend == "cpu") held = pin(o, computer_of(plateau::backend::cpu_context{o.threads}));
        auto const model = plateau::load<T>(o.model, load_options_of(o));
        if (o.backend != "cpu") held = pin(o, model.computer());
        return body(model, watch.seconds());
    };
    return o.dtype == "fp64" ? on(double{}) : on(float{});
}

}  // namespace program
