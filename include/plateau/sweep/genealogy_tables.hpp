#pragma once
/// Tables of a genealogy, for a report and as CSV.

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/csv.hpp>
#include <plateau/core/table.hpp>
#include <plateau/statistics/interval_table.hpp>
#include <plateau/sweep/genealogy_numbers.hpp>

namespace plateau::sweep {

/// Tables of the numbers of checkpoints, which are named by their steps.
struct genealogy_tables {
    genealogy_numbers const& numbers;
    std::vector<index> const& steps;  ///< [K] of training

    std::string step(index checkpoint) const { return std::to_string(steps[static_cast<std::size_t>(checkpoint)]); }
    std::vector<std::string> ends(checkpoint_span const& span) const { return {step(span[0]), step(span[1])}; }

    /// One kind of change by every rule; below the checkpoints what it is from context to context.
    statistics::interval_table changes(statistics::estimate statistics::partition_change::*kind) const {
        std::vector<std::string> names;
        for (auto const& rule : partition_rules) names.emplace_back(rule.name);
        statistics::interval_table table{{"from", "to"}, names};
        auto const add = [&](std::vector<std::string> const& keys, auto list, std::size_t at) {
            std::vector<statistics::estimate> row;
            for (auto const& rule : numbers.rules) row.push_back((rule.*list)[at].*kind);
            table.row(keys, row);
        };
        for (std::size_t i = 0; i < numbers.spans.size(); ++i) add(ends(numbers.spans[i]), &rule_numbers::changes, i);
        for (std::size_t k = 0; k < steps.size(); ++k)
            add({step(static_cast<index>(k)), "other context"}, &rule_numbers::floors, k);
        return table;
    }

    /// All of both kinds: a row for every rule and span, and every rule and checkpoint ("other context").
    statistics::interval_table splitting() const {
        statistics::interval_table table{{"rule", "from", "to"}, {"splitting", "merging"}};
        for (std::size_t r = 0; r < partition_rules.size(); ++r) {
            auto const& rule = numbers.rules[r];
            auto const add = [&](std::vector<std::string> const& keys, statistics::partition_change const& of) {
                table.row({partition_rules[r].name, keys[0], keys[1]}, {of.splitting, of.merging});
            };
            for (std::size_t i = 0; i < numbers.spans.size(); ++i) add(ends(numbers.spans[i]), rule.changes[i]);
            for (std::size_t k = 0; k < steps.size(); ++k)
                add({step(static_cast<index>(k)), "other context"}, rule.floors[k]);
        }
        return table;
    }

    /// By rule, "splitting_token", …, over spans of checkpoints, and "splitting_floor_token", …, over checkpoints.
    std::vector<std::pair<std::string, std::vector<statistics::estimate>>> by_name() const {
        using change = statistics::partition_change;
        std::vector<std::pair<std::string, std::vector<statistics::estimate>>> all;
        for (auto const& [kind, number] :
             {std::pair{"splitting_", &change::splitting}, {"merging_", &change::merging}}) {
            for (auto const& [floor, list] :
                 {std::pair{"", &rule_numbers::changes}, {"floor_", &rule_numbers::floors}}) {
                for (std::size_t r = 0; r < partition_rules.size(); ++r) {
                    auto& values = all.emplace_back(concat({kind, floor, partition_rules[r].name}), 0).second;
                    for (auto const& one : numbers.rules[r].*list) values.push_back(one.*number);
                }
            }
        }
        return all;
    }

    /// What stays among pairs that are apart at both ends; of three numbers before, after, and their change.
    statistics::interval_table stability() const {
        statistics::interval_table table{
            {"from", "to", "pairs"},
            {"interior_before", "interior_after", "interior_change", "drift_before", "drift_after", "drift_change",
             "width_before", "width_after", "width_change"}};
        for_each_span([&](std::vector<std::string> const& keys, sweep::stability const& s) {
            table.row(keys, {s.interior.before, s.interior.after, s.interior.change, s.drift.before, s.drift.after,
                             s.drift.change, s.width.before, s.width.after, s.width.change});
        });
        return table;
    }

    /// The changes alone.
    statistics::interval_table stability_changes() const {
        statistics::interval_table table{{"from", "to", "pairs"}, {"interior slope", "edge drift", "width"}};
        for_each_span([&](std::vector<std::string> const& keys, sweep::stability const& s) {
            table.row(keys, {s.interior.change, s.drift.change, s.width.change});
        });
        return table;
    }

    /// A row a checkpoint: the curves with their simultaneous bands, the medians with their own intervals.
    statistics::interval_table clocks() const {
        statistics::interval_table table{{"step"}, {"sharpness", "order", "gain", "flanks", "window"}};
        double const nan = std::numeric_limits<double>::quiet_NaN();
        auto const sharp = numbers.sharpness.estimates();
        auto const order = numbers.order ? numbers.order->estimates()
                                         : std::vector<statistics::estimate>(steps.size(), {nan, nan, nan, nan});
        for (std::size_t k = 0; k < steps.size(); ++k) {
            auto row = numbers.concentration[k];
            row.insert(row.begin(), {sharp[k], order[k]});
            table.row({step(static_cast<index>(k))}, row);
        }
        return table;
    }

    /// Entropies in nats, each beside the mean and the bound of its permutation null.
    std::string information_csv() const {
        std::string text =
            "rule,from,to,split_entropy,split_entropy_null,split_entropy_null_5,merge_entropy,merge_entropy_null,"
            "merge_entropy_null_5,adjusted_information,adjusted_information_null,adjusted_information_null_95\n";
        for_each_information([&](char const* rule, checkpoint_span const& span, auto const& x) {
            auto const &a = x.splitting, &b = x.merging, &c = x.adjusted;
            text += csv_line(rule, step(span[0]), step(span[1]), a.value, a.null_mean, a.null_bound, b.value,
                             b.null_mean, b.null_bound, c.value, c.null_mean, c.null_bound);
        });
        return text;
    }

    std::string information_text() const {
        table text{{"partition", "from", "to", "H(to|from)", "permuted", "H(from|to)", "permuted", "AMI", "95 % null"}};
        for_each_information([&](char const* rule, checkpoint_span const& span, auto const& x) {
            text.row({rule, step(span[0]), step(span[1]), fixed(x.splitting.value, 3), fixed(x.splitting.null_mean, 3),
                      fixed(x.merging.value, 3), fixed(x.merging.null_mean, 3), fixed(x.adjusted.value, 3),
                      fixed(x.adjusted.null_bound, 3)});
        });
        return text.render();
    }

    /// Training steps from which on clocks are there, nothing where one is not.
    std::vector<std::pair<std::string, std::optional<index>>> clock_steps() const {
        auto const step_of = [&](training_clock const& clock) -> std::optional<index> {
            if (!clock.checkpoint) return std::nullopt;
            return steps[static_cast<std::size_t>(*clock.checkpoint)];
        };
        return {{"sharpness_clock", step_of(numbers.sharpness)},
                {"order_clock", numbers.order ? step_of(*numbers.order) : std::nullopt}};
    }

    /// All of a report.
    std::string text() const {
        std::string all;
        auto const add = [&](char const* title, std::string const& table) { all += title + ("\n" + table) + '\n'; };
        add("1. splitting: P(apart then | together at first)",
            changes(&statistics::partition_change::splitting).render());
        add("2. merging: P(together then | apart at first)", changes(&statistics::partition_change::merging).render());
        add("3. information, nats", information_text());
        add("4. pairs apart at both checkpoints: changes", stability_changes().render());
        add("5. sharpness and order of pairs, concentration of switches", clocks().render());
        all.pop_back();
        for (auto const& [name, step] : clock_steps()) {
            if (step) all += concat({name, ": the band holds the final value from step ", *step, " on\n"});
        }
        return all;
    }

private:
    template <class Take>
    void for_each_span(Take const& take) const {
        for (std::size_t i = 0; i < numbers.spans.size(); ++i) {
            auto keys = ends(numbers.spans[i]);
            keys.push_back(std::to_string(numbers.stabilities[i].items));
            take(keys, numbers.stabilities[i]);
        }
    }
    template <class Take>
    void for_each_information(Take const& take) const {
        for (std::size_t r = 0; r < partition_rules.size(); ++r) {
            for (std::size_t i = 0; i < numbers.spans.size(); ++i)
                take(partition_rules[r].name, numbers.spans[i], numbers.rules[r].information[i]);
        }
    }
};

/// Counts of a tree from checkpoint to checkpoint.
inline std::string text_of(region_tree const& tree, std::vector<index> const& steps) {
    table text{{"from", "to", "regions", "then", "live on", "born", "die", "splits", "merges"}};
    for (std::size_t k = 0; k < tree.steps.size(); ++k) {
        auto const& s = tree.steps[k];
        auto const before = static_cast<index>(s.before.size()), after = static_cast<index>(s.after.size());
        std::vector<std::string> row;
        for (index const number : {steps[k], steps[k + 1], before, after, before - s.deaths(), s.births(), s.deaths(),
                                   s.splits(), s.merges()})
            row.push_back(std::to_string(number));
        text.row(row);
    }
    return "6. regions by likeliest token in the first context\n" + text.render();
}

}  // namespace plateau::sweep
