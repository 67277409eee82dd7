#pragma once
/// A study: one program that loads a model, measures, and leaves what its manifest tells.
///     int main(int argc, char** argv) {
///         program::study study{"mine", "What it is about.", leaves};
///         options o;
///         program::add_study_options(study, o);
///         return study.run(argc, argv, [&] { run(study, o); });
///     }

#include <csignal>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <plateau/core/core_affinity.hpp>
#include <plateau/core/memory.hpp>
#include <plateau/core/parallel.hpp>
#include <plateau/core/peak_memory.hpp>
#include <plateau/core/table.hpp>
#include <plateau/engine/load.hpp>
#include <plateau/engine/wave_texts.hpp>
#include <plateau/program/long_run/long_runs.hpp>
#include <plateau/program/long_run/lost_file.hpp>
#include <plateau/program/measured_models.hpp>
#include <plateau/program/meter.hpp>
#include <plateau/program/options.hpp>
#include <plateau/program/outputs.hpp>
#include <plateau/program/report/request.hpp>

namespace plateau::program {

using plateau::require_memory;

/// How --backend, --threads, --weights, --seed and --dtype want the model.
inline load_options load_options_of(common_options const& o) {
    load_options options;
    options.backend.on = backend::device_named(o.backend);
    options.backend.threads = o.threads;
    options.backend.products = backend::float_products_named(o.products);
    if (o.products != "fp32" && o.dtype != "fp32")
        throw usage_error("--float-products ", o.products, " is about products of floats: it goes with --dtype fp32");
    options.backend.notice = [](std::string const& text) { std::cerr << text << '\n'; };
    options.weights = o.weights == "random"     ? weights::random
                      : o.weights == "shuffled" ? weights::shuffled
                                                : weights::stored;
    options.seed = o.seed;
    options.bf16 = o.dtype == "bf16";
    options.memory = o.memory.empty() ? within(allowed_memory(), false) : within(memory_of_text(o.memory, "--memory"));
    return options;
}

/// Holds `threads` threads on as many cores, if --pin asks for it, as long as the result lives.
inline std::unique_ptr<core_affinity> pin(common_options const& o, int threads) {
    if (!o.pin) return nullptr;
    auto held = std::make_unique<core_affinity>(threads);
    if (!held->held()) {
        std::cerr << "--pin: there are not " << threads
                  << " processors to hold the threads on; they run where the system puts them\n";
    }
    return held;
}

/// Calls body(model, load_seconds) with the model in the arithmetic that --dtype names, where --backend says, and gives
/// what it gives. The body is compiled for every arithmetic: best it calls a function that measures, and no more.
template <class Body>
auto with_model(common_options const& o, Body const& body, models::weight_sharing const* sharing = nullptr) {
    auto const on = [&]<class T>(T) {
        if (o.model.empty())
            throw usage_error(
                "--model is required: this program was built without a model of its own, or an empty path was given");
        bool const here = backend::device_named(o.backend) == device::cpu;
        stopwatch const watch;
        // before weights lie where a thread first writes them
        auto held = here ? pin(o, resolve_threads(o.threads)) : nullptr;
        auto how = load_options_of(o);
        how.memory.sharing = sharing;
        auto const model = load<T>(o.model, how);
        if (model.tokenizer && !model.tokenizer->notice().empty()) std::cerr << model.tokenizer->notice() << '\n';
        std::cerr << model.notices << engine::wave_text(model.engine());
        if (!here && model.computer().backend == backend::device_names[0]) held = pin(o, model.threads());
        return body(model, watch.seconds());
    };
    return o.dtype == "fp64" ? on(double{}) : on(float{});
}

/// What to say of the weights after the model's name: nothing of stored ones.
inline std::string weights_text(common_options const& o) {
    return o.weights == "stored" ? "" : ", " + o.weights + " weights (seed " + std::to_string(o.seed) + ")";
}

/// The model as reports name it: as it was given.
inline std::string model_text(common_options const& o) { return o.model + weights_text(o); }

/// The model as pictures name it: by the last part of its path.
inline std::string title_of(common_options const& o) {
    std::filesystem::path const path{o.model};
    return (path.has_filename() ? path : path.parent_path()).filename().string() + weights_text(o);
}

/// The options as given, for summary.json.
inline nlohmann::json options_given(command_line const& app) {
    nlohmann::json options = nlohmann::json::object();
    for (auto const& [name, value] : app.given()) options[name] = value;
    return options;
}

class study {
public:
    command_line app;
    program::meter meter;
    long_runs runs;
    nlohmann::ordered_json summary;  ///< keys of its own; those that all programs have are added

    study(std::string name, std::string about, manifest leaves)
        : app{about, std::move(name)}, leaves_{std::move(leaves)}, page_{std::move(about)} {
        app.set_footer(help_text(leaves_));
    }

    /// Takes --report. @pre --out is a folder
    void add_report_option() {
        page_.add_option(app, leaves_);
        app.set_footer(help_text(leaves_));
    }

    /// Parses the command line, runs `body`, and turns what goes wrong into one message and an exit status: 2 for
    /// wrong usage, 1 for anything else.
    template <class Body>
    int run(int argc, char** argv, Body const& body) {
        // a file that may not grow, a reader that went away: errors to report, not to die of
        std::signal(SIGXFSZ, SIG_IGN);
        std::signal(SIGPIPE, SIG_IGN);
        lost_file::expect(app.name());
        int status = 1;
        std::string problem;
        try {
            if (app.parse(argc, argv) == command_line::outcome::answered) return 0;
            runs.join();
            page_.take(argc, argv);
            body();
            if (!std::cout.flush()) problem = "stdout cannot be written to; the files are complete";
            status = 0;
        } catch (part_done const&) {
            status = 0;
        } catch (usage_error const& wrong) {
            problem = wrong.what();
            status = 2;
        } catch (std::bad_alloc const&) {
            problem = "out of memory: ask for fewer prompts, steps or sites at a time";
        } catch (std::exception const& wrong) {
            problem = wrong.what();
        }
        if (status == 0) runs.part();
        else if (runs.launched()) runs.give_up(app.name(), problem, status);
        if (!problem.empty()) std::cerr << app.name() << ": " << problem << '\n';
        return status;
    }

    /// Opens the folder --out, if there is one, loads the model and calls body(model), of what it takes the meter
    /// knows. Several models may be measured, one after the other. @throws file_error, and what loading throws
    template <class Body>
    auto measure(common_options const& o, Body const& body) {
        page_.require_folder(o.out);
        if (!out_ && !o.out.empty() && runs.writes()) page_.begin(out_.emplace(leaves_, o.out));
        lost_file::expect(app.name(), o.model);
        runs.open(app);  // what is wrong with a journal is said before a model is loaded
        auto here = o;
        here.threads = runs.threads_of_rank(o.threads);
        if (runs.joined_others()) backend::take_device_of(runs.rank_here());
        return with_model(
            here,
            [&]<class T>(model<T> const& model, double load_seconds) {
            struct line_ender {
                program::meter& of;
                engine::engine<T> const& model;
                ~line_ender() {
                    of.end();
                    of.plan = {};
                    std::cerr << engine::turns_text(model);
                }
            } const after{meter, model.engine()};
            meter.load_seconds += load_seconds;
            meter.by = model.computer();
            meter.wave_rows = engine::wave_rows(model.engine());
            meter.plan = [&model](index points) { std::cerr << engine::waves_text(model.engine(), points); };
            if (out_) {
                if (out_->page()) out_->page()->texts = model;
                stopwatch const watch;
                models_.add(o, model, model.threads());
                meter.load_seconds += watch.seconds();
                runs.describe(
                    {{"weights_sha256", models_.last_hash()},
                     {meter.by.backend == backend::device_names[0] ? "instruction_set" : "device", meter.by.kind},
                     {"float_products", std::string(backend::name_of(meter.by.products))}});
            }
            return body(model);
            },
            runs.sharing());
    }

    /// Whether there is a folder to write to.
    bool writes() const { return out_.has_value(); }
    /// @pre writes      @throws part_done on ranks that write nothing
    outputs& out() {
        if (!runs.writes()) throw part_done{};
        return *out_;
    }

    /// Writes summary.json and makes all files visible. @param heading,body  of the page, as `report` takes them
    void publish(common_options const& o, std::string const& heading = "", std::string const& body = "") {
        nlohmann::ordered_json all;
        all["program"] = app.name();
        all["version"] = PLATEAU_VERSION;
        all["model"] = o.model;
        models_.tell(all, summary);
        all["dtype"] = o.dtype;
        all["backend"] = meter.by.backend;
        all[meter.by.backend == backend::device_names[0] ? "instruction_set" : "device"] = meter.by.kind;
        all["float_products"] = backend::name_of(meter.by.products);
        all["threads"] = meter.by.threads;
        all["seed"] = o.seed;
        all["seconds"] = meter.seconds;
        all["load_seconds"] = meter.load_seconds;
        all["points_per_second"] = meter.points_per_second();
        all["peak_memory"] = peak_memory();
        all["ranks"] = runs.count();
        all["resumed_points"] = runs.resumed_points();
        all["options"] = options_given(app);
        if (out().page()) page_.tell(*out().page(), app, heading, body);
        out().publish(std::move(all), summary);
    }

    /// How fast it was, a line of the report.
    std::string rate(std::string const& of = "points") {
        return page_.passing(fixed(meter.points_per_second(), 0) + ' ' + of + " per second\n");
    }

    /// Publishes, and says on stdout what was found and where it lies, the first picture too.
    /// @param heading  what ran, on one line      @param body  tables and remarks, lines with their ends
    void report(common_options const& o, std::string const& heading, std::string const& body) {
        publish(o, heading, body);
        std::cout << heading << '\n' << body << "written to " << out_->folder().string() << '\n';
        for (auto const& one : leaves_.files) {
            if (!viz::can_draw || !one.name.ends_with(".png")) continue;
            std::cout << "picture:   " << (out_->folder() / one.name).string() << '\n';
            break;
        }
    }

private:
    manifest leaves_;
    program::report::request page_;
    std::optional<outputs> out_;
    measured_models models_;
};

/// What nearly every study takes: a model, prompts, and --out with a default named after the program.
inline void add_study_options(study& study, common_options& o) {
    o.out = study.app.name() + ".out";
    study.runs.add_options(study.app);
    add_model_options(study.app, o);
    add_prompt_options(study.app, o);
    add_option(study.app, "--out", &o.out, "folder for the results");
    study.add_report_option();
}

}  // namespace plateau::program
