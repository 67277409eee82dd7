#pragma once
/// Bodies of models/begin_turns.hpp.

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/shared.hpp>
#include <plateau/models/begin_turns.hpp>

namespace plateau::models {

namespace detail {

struct turns_state {
    using visit = layer_turns::visit;
    enum class where : char { away, coming, here };

    std::unique_ptr<weight_units> units;
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
    index moves = 0;       // visits that came, went on or left, units that came
    bool stalled = false;  // nothing has moved for long: somebody waits for what these turns cannot see
    bool ending = false;
    std::exception_ptr failure;

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
        if (computing(false) >= limits.threads && !stalled) return false;
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
        bool const stuck = (stalled || computing(true) == 0) &&
                           std::none_of(visits.begin(), visits.end(),
                                        [&](visit const* one) { return !one->inside && may_enter(*one); });
        for (auto const& wish : wishes) {
            if (!stuck || wish.ahead) continue;
            dropped.clear();
            make_room(wish.unit, -1, false, dropped);
            return wish.unit;
        }
        dropped.clear();
        return -1;
    }

    void has_moved() {
        ++moves;
        stalled = false;
        moved.notify_all();
        wanted.notify_all();
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
            has_moved();
        }
    }
};

PLATEAU_INLINE void const* this_thread() {
    static thread_local char const here{};
    return &here;
}

class turns_with_reader final : public layer_turns {
public:
    turns_with_reader(std::unique_ptr<weight_units> units, std::vector<index> bytes, turn_limits const& limits)
        : layer_turns{limits} {
        s_.units = std::move(units);
        s_.bytes = std::move(bytes);
        s_.limits = limits;
        s_.places.assign(s_.bytes.size(), turns_state::where::away);
        index const largest = std::max<index>(1, *std::max_element(s_.bytes.begin(), s_.bytes.end()));
        s_.window = static_cast<int>(std::clamp<index>(limits.capacity / largest - 1, 1, s_.count()));
        reader_ = std::thread{[this] { s_.read(); }};
    }
    ~turns_with_reader() override {
        {
            std::lock_guard const lock{s_.guard};
            s_.ending = true;
            s_.wanted.notify_all();
        }
        reader_.join();
    }

    void go(visit& one, int unit, int next) override {
        std::unique_lock lock{s_.guard};
        if (one.unit < 0) s_.visits.push_back(&one);
        one = {unit, next, false, this_thread()};
        s_.find_last();
        s_.has_moved();  // for those who waited for this thread to go on
        // a hook may wait for threads that wait here, which nobody can see: after so long another one goes on
        constexpr std::chrono::minutes patience{1};
        for (index seen = s_.moves; !s_.failure && !s_.may_enter(one); seen = s_.moves) {
            if (s_.moved.wait_for(lock, patience) == std::cv_status::no_timeout || s_.moves != seen) continue;
            s_.stalled = true;
            s_.moved.notify_all();
            s_.wanted.notify_all();
        }
        one.inside = true;  // or on the way to leave
        s_.stalled = false;
        if (s_.failure) std::rethrow_exception(s_.failure);
    }
    void leave(visit& one) override {
        if (one.unit < 0) return;
        std::lock_guard const lock{s_.guard};
        s_.visits.erase(std::find(s_.visits.begin(), s_.visits.end(), &one));
        one = {};
        s_.find_last();
        s_.has_moved();
    }

    index all_bytes() const override {
        index all = 0;
        for (index const one : s_.bytes) all += one;
        return all;
    }
    index bytes_brought() const override {
        std::lock_guard const lock{s_.guard};
        return s_.brought;
    }

private:
    mutable turns_state s_;
    std::thread reader_;
};

}  // namespace detail

PLATEAU_INLINE std::shared_ptr<layer_turns> begin_turns(std::unique_ptr<weight_units> units, std::vector<index> bytes,
                                                        turn_limits const& limits) {
    return shared<detail::turns_with_reader>(std::move(units), std::move(bytes), limits);
}

}  // namespace plateau::models
