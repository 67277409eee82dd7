#pragma once
/// Meter of a run: its points on a line of progress, their seconds, and who computes.

#include <functional>
#include <optional>
#include <string>

#include <plateau/backend/backends.hpp>
#include <plateau/core/progress.hpp>
#include <plateau/core/stopwatch.hpp>

namespace plateau::program {

/// A line on a terminal counts what is computed, and seconds are summed.
class meter {
public:
    backend::computer by = {};
    double load_seconds = 0;
    double seconds = 0;                    ///< of computing
    index points = 0;                      ///< of the run
    index resumed = 0;                     ///< of them, that a journal had
    index wave_rows = 1;                   ///< rows together that leave nobody idle
    std::function<void(index)> plan = {};  ///< tells what all points of a run will take, before it begins

    /// Of those computed here.
    double points_per_second() const { return seconds > 0 ? static_cast<double>(points - resumed) / seconds : 0.0; }

    /// Begins a line of so many units, which need not be points.
    void show(index units, std::string const& label = "points") { bar_.emplace(label, units); }
    /// Begins the line of all points of a run.
    void expect(index all) {
        points = all;
        if (plan) plan(all);
        show(all);
    }
    /// Ends the line, before a table begins.
    void end() { bar_.reset(); }

    /// Advances the line, from any thread. @pre show, and no end
    std::function<void(index)> counter() {
        return [this](index done) { bar_->advance(done); };
    }

    /// Gives what `work` gives; its seconds are of computing.
    template <class Work>
    auto timed(Work const& work) {
        struct adder {
            meter& to;
            stopwatch watch = {};
            ~adder() { to.seconds += watch.seconds(); }
        } const while_it_runs{*this};
        return work();
    }

private:
    std::optional<progress> bar_;
};

}  // namespace plateau::program
