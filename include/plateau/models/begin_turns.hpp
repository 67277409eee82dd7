#pragma once
/// Begins the turns of units, with a thread that reads those that come next.

#include <memory>
#include <vector>

#include <plateau/core/macros.hpp>
#include <plateau/core/types.hpp>
#include <plateau/models/layer_turns.hpp>

namespace plateau::models {

/// None of the units is in memory yet. @param bytes  by unit
std::shared_ptr<layer_turns> begin_turns(std::unique_ptr<weight_units> units, std::vector<index> bytes,
                                         turn_limits const& limits);

}  // namespace plateau::models

#if !PLATEAU_COMPILED
#include <plateau/models/impl/begin_turns.ipp>
#endif
