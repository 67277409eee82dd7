#pragma once
/// Bodies of models/layer_turns.hpp.

#include <plateau/core/macros.hpp>
#include <plateau/models/layer_turns.hpp>

namespace plateau::models {

PLATEAU_INLINE void layer_stay::go(int unit, int next) { turns_->go(visit_, unit, next); }
PLATEAU_INLINE void layer_stay::leave() { turns_->leave(visit_); }

}  // namespace plateau::models
