#pragma once
/// Activations of a run, kept to be looked up: what patching and freezing take their values from.

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/hooks/selection.hpp>
#include <plateau/tensor/buffer.hpp>

namespace plateau::hooks {

/// Values by (site, item, position): all of a site's values at a row, [A · B] ([heads · (position + 1)] of scores and
/// patterns). Filled concurrently by the hooks of `record` or `record_means`; read concurrently once their run is over.
template <class T>
class recording {
public:
    /// @throws usage_error if nothing was kept there
    std::span<T const> at(site const& where_from, index item, index position) const {
        auto const found = values_.find(key(where_from, item, position));
        if (found != values_.end()) return found->second;
        throw usage_error("nothing was recorded at ", where_from.name(), " for item ", item, ", position ", position,
                          ": record that run with the same site and positions");
    }

    /// @throws usage_error if there is something already
    void keep(site const& where_from, index item, index position, std::vector<T> values) {
        std::lock_guard const lock{guard_};
        if (!values_.emplace(key(where_from, item, position), std::move(values)).second) {
            throw usage_error(where_from.name(), " is recorded twice for item ", item, ", position ", position,
                              ": one recording for one run");
        }
    }

    /// Everything kept at one site, in the order of (item, position), as the examples of an ablation.
    /// @throws usage_error if there is nothing, or rows differ in length
    tensor::buffer<T, 2> examples(site const& where_from) const {
        auto const first = values_.lower_bound(key(where_from, 0, 0)),
                   end = values_.upper_bound(key(where_from, no_index, no_index));
        if (first == end) throw usage_error("nothing was recorded at ", where_from.name());
        tensor::buffer<T, 2> all({std::distance(first, end), static_cast<index>(first->second.size())});
        index n = 0;
        for (auto one = first; one != end; ++one, ++n) {
            if (static_cast<index>(one->second.size()) != all.extent(1)) {
                throw usage_error("the rows of ", where_from.name(),
                                  " differ in length: they are no examples of one thing");
            }
            std::copy(one->second.begin(), one->second.end(), all[n].data());
        }
        return all;
    }

    bool empty() const { return values_.empty(); }
    std::size_t size() const { return values_.size(); }

private:
    static constexpr index no_index = std::numeric_limits<index>::max();
    static std::array<index, 3> key(site const& s, index item, index position) {
        return {index{s.layer + 1} << 8 | static_cast<index>(s.id), item, position};
    }

    std::map<std::array<index, 3>, std::vector<T>> values_;
    std::mutex guard_;
};

namespace detail {

/// The values of a row, without the keys that it does not see.
template <class T>
std::vector<T> row_values(site const& at, row_id const& row, tensor::view<T const, 2> values) {
    index const width = at.axes == site_axes::keys ? std::min(row.position + 1, values.extent(1)) : values.extent(1);
    std::vector<T> all;
    for (index a = 0; a < values.extent(0); ++a) all.insert(all.end(), values[a].data(), values[a].data() + width);
    return all;
}

}  // namespace detail

/// Keeps what every site that matches holds at the chosen positions. @param into  shared with those who look values up
template <class T>
hook_set<T> record(std::string pattern, std::shared_ptr<recording<T>> into, positions chosen = {}) {
    return capture<T>(std::move(pattern),
                      [into = std::move(into), chosen](site const& at, where const& w, tensor::view<T const, 3> rows) {
        for (std::size_t r = 0; r < w.rows.size(); ++r) {
            auto const& row = w.rows[r];
            if (row.reference_copy || !chosen.holds(row)) continue;
            into->keep(at, row.item, row.position, detail::row_values<T>(at, row, rows[static_cast<index>(r)]));
        }
    });
}

/// Keeps the mean over the points of each item, at all positions of its rows. Summed in double in the order of the
/// points, rounded once, so that one point's mean is its value. A sweep with this hook keeps all points of an item in
/// one block.
template <class T>
hook_set<T> record_means(std::string pattern, std::shared_ptr<recording<T>> into) {
    hook<T> means{std::move(pattern), {}, true};
    means.whole_items = true;
    means.action = [into = std::move(into)](rows_at<T>& here) {
        auto const rows = here.read();
        struct sum {
            std::vector<double> total;
            double count = 0;
        };
        std::map<std::array<index, 2>, sum> sums;
        for (std::size_t r = 0; r < here.rows.size(); ++r) {
            auto const& row = here.rows[r];
            if (row.reference_copy) continue;
            auto const values = detail::row_values<T>(here.at, row, rows[static_cast<index>(r)]);
            auto& one = sums[{row.item, row.position}];
            if (one.count++ == 0) one.total.assign(values.begin(), values.end());  // and not 0 plus it: −0 stays −0
            else
                for (std::size_t i = 0; i < values.size(); ++i) one.total[i] += static_cast<double>(values[i]);
        }
        for (auto const& [key, one] : sums) {
            std::vector<T> mean;
            for (double const total : one.total) mean.push_back(static_cast<T>(total / one.count));
            into->keep(here.at, key[0], key[1], std::move(mean));
        }
    };
    return hook_set<T>{std::move(means)};
}

PLATEAU_COMPILED_CLASS(recording);

}  // namespace plateau::hooks
