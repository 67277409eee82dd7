#pragma once
/// Turns of a model's layers in memory that does not hold all of them: who waits for which, and which come and go.

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>

namespace plateau::models {

/// Weights that come into memory and go, by unit: those of a layer, or of one of the embeddings.
class weight_units {
public:
    virtual ~weight_units() = default;
    /// Called by one thread. @throws what reading throws
    virtual void bring(int unit) = 0;
    virtual void drop(int unit) = 0;
};

/// What a model whose layers take turns may use.
struct turn_limits {
    index capacity = 0;      ///< bytes of units that are in memory at a time
    int threads = 1;         ///< that compute at a time
    int blocks = 1;          ///< blocks of rows that are under way at a time, each on a thread of its own
    index block_bytes = 0;   ///< work memory of each of them
    index prefix_bytes = 0;  ///< keys and values of prefixes at a time
    index wave_bytes = 0;    ///< of units that are read while all these blocks pass, about
};

/// Lets many threads through the units of a model, each with a block of rows of its own, while few units are in memory
/// and few threads compute. A unit that is there serves everybody who comes by; units are numbered in the order in
/// which passes take them, and whoever is last on that way, which goes around, has precedence: so blocks travel
/// together, and each unit is read once for all of them. The unit that comes next is read while one is computed with.
/// Of those that nobody waits for, the one whose turn comes last makes room.
/// No order of visits blocks: where units that are in use leave no room for one without which nobody could go on, it
/// comes nevertheless.
class layer_turns {
public:
    virtual ~layer_turns() = default;
    layer_turns(layer_turns const&) = delete;
    layer_turns& operator=(layer_turns const&) = delete;

    /// A thread's way through some units, one at a time.
    struct visit {
        int unit = -1, next = -1;   ///< where it is or wants to be, and where it will want to be then; −1: nowhere
        bool inside = false;        ///< the unit is there, and the thread may compute
        void const* who = nullptr;  ///< the thread
    };

    /// Leaves the unit that the visit is in, and waits until `unit` is there and fewer than limits().threads compute.
    /// @throws what bringing a unit threw, to everybody
    virtual void go(visit& one, int unit, int next) = 0;
    virtual void leave(visit& one) = 0;

    turn_limits const& limits() const { return limits_; }
    /// Bytes of all units.
    virtual index all_bytes() const = 0;
    /// Bytes of units that were brought so far.
    virtual index bytes_brought() const = 0;

protected:
    explicit layer_turns(turn_limits const& limits) : limits_{limits} {}

private:
    turn_limits limits_;
};

/// A stay with the units of a model, one after the other; of a model whose weights are all in memory, nothing.
class layer_stay {
public:
    /// @param turns  may be null
    explicit layer_stay(layer_turns* turns) : turns_{turns} {}
    layer_stay(layer_turns* turns, int unit) : layer_stay{turns} { at(unit); }
    ~layer_stay() {
        if (turns_ != nullptr) leave();
    }
    layer_stay(layer_stay const&) = delete;
    layer_stay& operator=(layer_stay const&) = delete;

    /// Goes from where it was to `unit`. @param next  where it will go then; −1 if it ends, or nobody knows
    void at(int unit, int next = -1) {
        if (turns_ != nullptr) go(unit, next);
    }

private:
    void go(int unit, int next);
    void leave();

    layer_turns* turns_;
    layer_turns::visit visit_ = {};
};

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/layer_turns.ipp>
#endif
