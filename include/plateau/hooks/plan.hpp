#pragma once
/// A hook set resolved against the sites of one model.

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <plateau/core/error.hpp>
#include <plateau/core/macros.hpp>
#include <plateau/core/names.hpp>
#include <plateau/core/order.hpp>
#include <plateau/hooks/hook_set.hpp>

namespace plateau::hooks {

/// True if a pattern selects a site: it matches the name, and for one that is there on request does not end with a
/// wildcard.
inline bool selects(std::string const& pattern, site const& at) {
    bool const open_end = pattern.ends_with('*') || pattern.ends_with('?');
    return !(open_end && explicit_only(at.id)) && matches(pattern, at.name());
}

/// The sites whose name matches `pattern`, in firing order.
/// @throws site_error with the nearest names if there is none
std::vector<site> matching_sites(std::vector<site> const& sites, std::string const& pattern);

/// The one site named `name`. @throws site_error like matching_sites; also if a pattern names several
site find_site(std::vector<site> const& sites, std::string const& name);

/// Which hooks act where. A pass asks `wanted` before it makes a site's value available: one branch for a site that
/// nobody asked for. Built once per run; `fire` is safe to call concurrently.
template <class T>
class plan {
public:
    plan() = default;

    /// @throws site_error if a hook's pattern matches no site
    PLATEAU_RARE plan(hook_set<T> const& set, std::vector<site> const& sites) {
        for (auto const& at : sites) layers_ = std::max(layers_, at.layer + 1);
        masks_ = std::vector<std::uint64_t>(static_cast<std::size_t>(layers_) + 1);
        std::vector<std::uint64_t> keys;
        std::vector<entry> unsorted;
        for (auto const& one : set.hooks()) {
            for (auto const& at : matching_sites(sites, one.pattern)) {
                masks_[slot(at.layer)] |= bit(at.id);
                keys.push_back(key(at));
                unsorted.push_back({at, one.action, one.reads_only});
            }
        }
        for (std::size_t const i : order_by(keys)) entries_.push_back(std::move(unsorted[i]));
        fired_ = std::make_unique<std::atomic<bool>[]>(entries_.size());
    }

    bool empty() const { return entries_.empty(); }

    /// True if somebody asked for site `id` of `layer` (-1 outside of the blocks).
    bool wanted(site_id id, int layer) const {
        return slot(layer) < masks_.size() && (masks_[slot(layer)] & bit(id)) != 0;
    }

    /// True if somebody asked for any site of a block.
    bool wanted_in(int layer) const { return slot(layer) < masks_.size() && masks_[slot(layer)] != 0; }

    /// Blocks that must run so that every hook fires: [first, result). `all` if something after the blocks is wanted.
    int layers_wanted(int all) const {
        int last = 0;
        for (auto const& one : entries_) {
            if (in_block(one.at.id)) last = std::max(last, one.at.layer + 1);
            if (after_blocks(one.at.id)) last = all;
        }
        return last;
    }

    /// True if some site at or after `id`, outside of the blocks, is wanted.
    bool wants_from(site_id id) const {
        return std::any_of(entries_.begin(), entries_.end(),
                           [&](entry const& one) { return one.at.layer < 0 && one.at.id >= id; });
    }

    /// A hook at one site.
    struct entry {
        site at;
        std::function<void(rows_at<T>&)> action;
        bool reads_only = false;
    };

    /// Calls f with the hooks of a site in order.
    template <class F>
    void each(site_id id, int layer, F&& f) const {
        site probe;
        probe.id = id;
        probe.layer = layer;
        auto one = std::lower_bound(entries_.begin(), entries_.end(), key(probe),
                                    [](entry const& a, std::uint64_t wanted_key) { return key(a.at) < wanted_key; });
        for (; one != entries_.end() && key(one->at) == key(probe); ++one) {
            fired_[static_cast<std::size_t>(one - entries_.begin())].store(true, std::memory_order_relaxed);
            f(*one);
        }
    }

    /// @throws site_error naming every hook that was never reached
    PLATEAU_INLINE void require_all_fired(std::string const& why) const {
        std::vector<std::string> silent;
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (!fired_[i].load(std::memory_order_relaxed)) silent.push_back(entries_[i].at.name());
        }
        if (!silent.empty()) throw site_error("the hook at ", join(silent), " never fired: ", why);
    }

private:
    static constexpr std::uint64_t bit(site_id id) { return std::uint64_t{1} << static_cast<unsigned>(id); }
    static std::size_t slot(int layer) { return static_cast<std::size_t>(layer + 1); }
    static std::uint64_t key(site const& at) {
        return static_cast<std::uint64_t>(at.layer + 1) << 8 | static_cast<std::uint64_t>(at.id);
    }

    static_assert(site_count <= 64);

    int layers_ = 0;
    std::vector<std::uint64_t> masks_;  // of the top level, then of each layer
    std::vector<entry> entries_;
    std::unique_ptr<std::atomic<bool>[]> fired_;
};

PLATEAU_COMPILED_CLASS(plan);

}  // namespace plateau::hooks

#if !PLATEAU_COMPILED
#include <plateau/hooks/impl/plan.ipp>
#endif
