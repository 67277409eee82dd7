#pragma once
/// Panels of a genealogy: its numbers over a training, with intervals and noise floors.

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <plateau/sweep/genealogy_numbers.hpp>
#include <plateau/viz/labelled_curves.hpp>

namespace plateau::sweep {

/// Panels of the numbers over a training.
class genealogy_panels {
public:
    /// @param steps  [K] of training
    genealogy_panels(genealogy_numbers const& numbers, std::vector<index> const& steps) : numbers_{numbers} {
        for (index const one : steps) steps_.push_back(static_cast<double>(one + 1));  // 0 has a place, too
    }

    viz::labelled_figure figure(std::string title, std::string counts) const {
        return {.title = std::move(title),
                .counts = std::move(counts),
                .subtitle = "95 % intervals; dashed: from context to context, of agreement 95 % of permuted labels",
                .panels = all()};
    }

    std::vector<viz::labelled_panel> all() const {
        std::vector<viz::labelled_panel> panels{
            changes("splitting", "P(apart | together before)", &statistics::partition_change::splitting),
            changes("merging", "P(together | apart before)", &statistics::partition_change::merging), agreement(),
            widths(), clock("sharpness", "median max slope of d(α) / d(1)", numbers_.sharpness)};
        if (numbers_.order) panels.push_back(clock("order", "ρ of divergence and width", *numbers_.order));
        return panels;
    }

private:
    static viz::curve_axis step() { return {"training step + 1", true}; }
    std::vector<double> ends() const { return {steps_.begin() + 1, steps_.end()}; }

    /// Solid: since the checkpoint before; dashed: from context to context.
    viz::labelled_panel changes(char const* title, char const* axis,
                                statistics::estimate statistics::partition_change::*kind) const {
        viz::labelled_panel panel{title, step(), {axis}, {}};
        for (std::size_t r = 0; r < partition_rules.size(); ++r) {
            auto const curve = [&](std::string label, std::vector<double> x, auto const& changes, std::size_t first) {
                std::vector<statistics::estimate> values;
                for (std::size_t i = 0; i < x.size(); ++i) values.push_back(changes[first + i].*kind);
                auto found = viz::curve_of(std::move(label), std::move(x), values);
                found.ink = viz::series_ink(r);
                return found;
            };
            auto const& rule = numbers_.rules[r];
            panel.curves.push_back(curve(partition_rules[r].name, ends(), rule.changes, 0));
            panel.curves.back().points = true;
            auto floor = curve("", steps_, rule.floors, 0);
            floor.dashed = true;
            floor.low.clear(), floor.high.clear();
            panel.curves.push_back(std::move(floor));
        }
        return panel;
    }

    viz::labelled_panel agreement() const {
        viz::labelled_panel panel{"agreement with the checkpoint before", step(), {"adjusted mutual information"}, {}};
        for (std::size_t r = 0; r < partition_rules.size(); ++r) {
            viz::labelled_curve curve{.label = partition_rules[r].name, .x = ends(), .y = {}, .points = true},
                null = curve;
            for (std::size_t i = 0; i < curve.x.size(); ++i) {
                curve.y.push_back(numbers_.rules[r].information[i].adjusted.value);
                null.y.push_back(numbers_.rules[r].information[i].adjusted.null_bound);
            }
            curve.ink = null.ink = viz::series_ink(r);
            null.label = "", null.points = false, null.dashed = true;
            panel.curves.push_back(std::move(curve));
            panel.curves.push_back(std::move(null));
        }
        return panel;
    }

    viz::labelled_panel widths() const {
        viz::labelled_panel panel{
            "pairs apart at both checkpoints", step(), {"median change, in α and shares"}, {}, {{0, false, false, ""}}};
        auto const add = [&](char const* name, stability_change stability::*number) {
            std::vector<statistics::estimate> values;
            for (std::size_t i = 0; i + 1 < steps_.size(); ++i)
                values.push_back((numbers_.stabilities[i].*number).change);
            panel.curves.push_back(viz::curve_of(name, ends(), values));
            panel.curves.back().points = true;
        };
        add("width", &stability::width);
        add("edge drift", &stability::drift);
        add("interior slope", &stability::interior);
        return panel;
    }

    viz::labelled_panel clock(std::string title, char const* axis, training_clock const& of) const {
        viz::labelled_panel panel{std::move(title), step(), {axis}, {viz::curve_of("", steps_, of.estimates())}};
        panel.curves[0].points = true;
        panel.references.push_back({of.curve.value.back(), false, false, "final value"});
        if (of.checkpoint)
            panel.references.push_back({steps_[static_cast<std::size_t>(*of.checkpoint)], true, false,
                                        "from here on in the simultaneous band"});
        return panel;
    }

    genealogy_numbers const& numbers_;
    std::vector<double> steps_;  // + 1
};

}  // namespace plateau::sweep
