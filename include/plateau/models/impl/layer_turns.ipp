#pragma once
/// Bodies of models/layer_turns.hpp.

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/models/layer_turns.hpp>

namespace plateau::models {

struct layer_turns::state {
    enum class where : char { away, coming, here };

    std::shared_ptr<weight_units> units;
    std::vector<index> bytes;
    turn_limits limits;
    int window = 1;  // units that a visit may be ahead of the last one

    std::mutex guard;
    std::condition_variable moved;   // for visits
    std::condition_variable wanted;  // for the reader
    std::vector<where> places;
    std::vector<visit*> visits;
    int last = 0;  // the unit of the visit that is last on its way
    index resident = 0, brought = 0;
    bool ending = false;
    std::exception_ptr failure;
    std::thread reader;

    int count() const { return static_cast<int>(bytes.size()); }
    where& place(int unit) { return places[static_cast<std::size_t>(unit)]; }
    index size(int unit) const { return bytes[static_cast<std::size_t>(unit)]; }
    /// Units from the last visit on to this one.
    int ahead(int unit) const { return (unit - last + count()) % count(); }

    void find_last() {
        if (visits.empty()) return;
        int least = count();
        for (auto const* one : visits) least = std::min(least, ahead(one->unit));
        last = (last + least) % count();
    }

    bool computes(void const* who) const {
        return std::any_of(visits.begin(), visits.end(), [&](auto* v) { return v->inside && v->who == who; });
    }
    bool waits(void const* who) const {
        return std::any_of(visits.begin(), visits.end(), [&](auto* v) { return !v->inside && v->who == who; });
    }
    /// Threads that compute, and with `busy` those alone that do not wait for another unit meanwhile.
    int computing(bool busy) const {
        std::vector<void const*> threads;
        for (auto const* one : visits) {
            if (!one->inside || std::find(threads.begin(), threads.end(), one->who) != threads.end()) continue;
            if (!busy || !waits(one->who)) threads.push_back(one->who);
        }
        return static_cast<int>(threads.size());
    }

    /// Whether a visit that waits may go on: one that is behind, and could, goes first.
    bool may_enter(visit const& v) {
        if (place(v.unit) != where::here) return false;
        if (computes(v.who)) return true;
        if (computing(false) >= limits.threads) return false;
        return std::none_of(visits.begin(), visits.end(), [&](visit const* other) {
            return !other->inside && place(other->unit) == where::here && !computes(other->who) &&
                   ahead(other->unit) < ahead(v.unit);
        });
    }

    /// Units to drop so that `unit` has room, the ones whose turns come last; false if there is none.
    /// @param until  those that nobody is in or waits for, and that are further ahead than this
    bool make_room(int unit, int until, bool spare_next, std::vector<int>& dropped) {
        index excess = resident + size(unit) - limits.capacity;
        while (excess > 0) {
            int best = -1;
            for (int u = 0; u < count(); ++u) {
                if (place(u) != where::here || ahead(u) <= until || (best >= 0 && ahead(u) < ahead(best))) continue;
                bool const free = std::none_of(visits.begin(), visits.end(), [&](visit const* v) {
                    return v->unit == u || (spare_next && v->next == u);
                });
                if (free && std::find(dropped.begin(), dropped.end(), u) == dropped.end()) best = u;
            }
            if (best < 0) return false;
            dropped.push_back(best);
            excess -= size(best);
        }
        return true;
    }

    /// The unit to bring now, −1 for none. @param dropped  units that make room for it
    int unit_to_bring(std::vector<int>& dropped) {
        struct wish {
            int distance, unit;
            bool ahead;  // of a visit that is not there yet
        };
        std::vector<wish> wishes;
        for (auto const* one : visits) {
            int const distance = ahead(one->unit);
            if (place(one->unit) == where::away) wishes.push_back({distance, one->unit, false});
            if (one->next >= 0 && place(one->next) == where::away) wishes.push_back({distance + 1, one->next, true});
        }
        std::sort(wishes.begin(), wishes.end(), [](wish const& a, wish const& b) {
            return std::pair{a.distance, a.ahead} < std::pair{b.distance, b.ahead};
        });
        for (auto const& wish : wishes) {
            dropped.clear();
            if (wish.distance <= window && make_room(wish.unit, wish.distance, wish.ahead, dropped)) return wish.unit;
        }
        // nobody computes, and nobody may: then what is wanted comes, whatever it takes
        bool const stuck = computing(true) == 0 && std::none_of(visits.begin(), visits.end(), [&](visit const* one) {
                               return !one->inside && may_enter(*one);
                           });
        for (auto const& wish : wishes) {
            if (!stuck || wish.ahead) continue;
            dropped.clear();
            make_room(wish.unit, -1, false, dropped);
            return wish.unit;
        }
        dropped.clear();
        return -1;
    }

    void read() {
        std::vector<int> dropped;
        std::unique_lock lock{guard};
        while (!ending) {
            int const unit = failure ? -1 : unit_to_bring(dropped);
            if (unit < 0) {
                wanted.wait(lock);
                continue;
            }
            for (int const u : dropped) place(u) = where::away, resident -= size(u);
            place(unit) = where::coming;
            resident += size(unit);
            lock.unlock();
            std::exception_ptr problem;
            try {
                for (int const u : dropped) units->drop(u);
                units->bring(unit);
            } catch (...) {
                problem = std::current_exception();
            }
            lock.lock();
            if (problem) failure = problem;
            else place(unit) = where::here;
            brought += size(unit);
            moved.notify_all();
        }
    }
};

namespace detail {

PLATEAU_INLINE void const* this_thread() {
    static thread_local char const here{};
    return &here;
}

}  // namespace detail

PLATEAU_INLINE layer_turns::layer_turns(std::shared_ptr<weight_units> units, std::vector<index> bytes,
                                        turn_limits limits)
    : limits_{limits}, state_{new state} {
    auto& s = *state_;
    s.units = std::move(units);
    s.bytes = std::move(bytes);
    s.limits = limits;
    s.places.assign(s.bytes.size(), state::where::away);
    index const largest = std::max<index>(1, *std::max_element(s.bytes.begin(), s.bytes.end()));
    s.window = static_cast<int>(std::clamp<index>(limits.capacity / largest - 1, 1, s.count()));
    s.reader = std::thread{[&s] { s.read(); }};
}

PLATEAU_INLINE layer_turns::~layer_turns() {
    {
        std::lock_guard const lock{state_->guard};
        state_->ending = true;
        state_->wanted.notify_all();
    }
    state_->reader.join();
}

PLATEAU_INLINE void layer_turns::go(visit& one, int unit, int next) {
    auto& s = *state_;
    std::unique_lock lock{s.guard};
    if (one.unit < 0) s.visits.push_back(&one);
    one = {unit, next, false, detail::this_thread()};
    s.find_last();
    s.moved.notify_all();  // who waited for this thread to go on
    s.wanted.notify_all();
    s.moved.wait(lock, [&] { return s.failure != nullptr || s.may_enter(one); });
    one.inside = true;  // or on the way to leave
    if (s.failure) std::rethrow_exception(s.failure);
}

PLATEAU_INLINE void layer_turns::leave(visit& one) {
    if (one.unit < 0) return;
    auto& s = *state_;
    std::lock_guard const lock{s.guard};
    s.visits.erase(std::find(s.visits.begin(), s.visits.end(), &one));
    one = {};
    s.find_last();
    s.moved.notify_all();
    s.wanted.notify_all();
}

PLATEAU_INLINE index layer_turns::all_bytes() const {
    index all = 0;
    for (index const one : state_->bytes) all += one;
    return all;
}

PLATEAU_INLINE index layer_turns::bytes_brought() const {
    std::lock_guard const lock{state_->guard};
    return state_->brought;
}

}  // namespace plateau::models
