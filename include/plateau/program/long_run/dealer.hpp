#pragma once
/// Dealer of what a sweep has still to measure, in pieces of about a second.

#include <algorithm>
#include <cmath>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <plateau/program/long_run/journal.hpp>

namespace plateau::program {

/// Who measures, and what one thing costs.
struct dealing {
    index count = 0;     ///< things of the sweep
    index points = 1;    ///< rows of each
    int workers = 1;     ///< that ask for pieces
    index rows = 1;      ///< that a piece should have at least, so that a worker is busy with all of it
    double seconds = 1;  ///< that a piece should take
};

/// Deals pieces on demand, so that a slow worker holds nobody back. Its functions may be called by several threads.
class dealer {
public:
    /// @param done  what is finished already, in order
    dealer(dealing how, std::vector<chunk_place> const& done) : how_{how} {
        index from = 0;
        for (auto const& one : done) {
            if (one.first > from) gaps_.push_back({from, one.first});
            from = one.first + one.count;
        }
        if (from < how_.count) gaps_.push_back({from, how_.count});
        for (auto const& [first, end] : gaps_) left_ += end - first;
    }

    /// Things that one chunk of a journal holds at most: a twentieth.
    index chunk() const { return std::max<index>(1, how_.count / 20); }

    /// The next piece: {first, count}; none if nothing is left, or it was stopped.
    std::optional<std::pair<index, index>> next() {
        std::lock_guard const lock{guard_};
        if (gaps_.empty() || stopped_) return {};
        auto& [first, end] = gaps_.front();
        std::pair<index, index> const piece{first, std::min(size(), end - first)};
        first += piece.second;
        left_ -= piece.second;
        if (first == end) gaps_.erase(gaps_.begin());
        return piece;
    }

    /// So long took a piece of so many things.
    void took(index things, double seconds) {
        std::lock_guard const lock{guard_};
        last_ = things;
        per_second_ = static_cast<double>(things) / std::max(seconds, 1e-6);
    }

    /// No further pieces.
    void stop() {
        std::lock_guard const lock{guard_};
        stopped_ = true;
    }

private:
    index size() const {
        index const least = (how_.rows + how_.points - 1) / how_.points;
        if (last_ == 0) return least;
        double const wanted = std::min(per_second_ * how_.seconds, 1e12);
        index const grown = std::min(static_cast<index>(wanted), 8 * last_);
        // the last pieces are small, so that workers end together
        index const share = how_.workers > 1 ? left_ / (2 * how_.workers) : left_;
        return std::max({std::min({grown, chunk(), share}), least, index{1}});
    }

    dealing how_;
    std::mutex guard_;
    std::vector<std::pair<index, index>> gaps_;
    index left_ = 0, last_ = 0;
    double per_second_ = 0;
    bool stopped_ = false;
};

}  // namespace plateau::program
