#pragma once
/// Read-outs of points until their tangents have come.

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include <plateau/engine/read/read_out.hpp>

namespace plateau::sweep::detail {

/// A point's read-out and that of its pair's point 0, from the block's rows to its tangents: a few blocks' at a time.
template <class T>
class kept_read_outs {
public:
    struct point {
        std::vector<T> value, reference;
    };

    /// @param times  each is taken
    explicit kept_read_outs(index times) : times_{times} {}

    void put(engine::read_out<T> const& r) {
        std::lock_guard const lock{guard_};
        kept_[{r.pair, r.point}] = {times_,
                                    {{r.value.begin(), r.value.end()}, {r.reference.begin(), r.reference.end()}}};
    }

    /// @pre it was put, and taken fewer times than said
    point take(index pair, index number) {
        std::lock_guard const lock{guard_};
        auto const found = kept_.find({pair, number});
        if (--found->second.first > 0) return found->second.second;
        auto result = std::move(found->second.second);
        kept_.erase(found);
        return result;
    }

private:
    index times_;
    std::mutex guard_;
    std::map<std::pair<index, index>, std::pair<index, point>> kept_;
};

}  // namespace plateau::sweep::detail
