#pragma once
/// Integer types shared by all folders: extents and token ids.

#include <cstdint>

namespace plateau {

/// Signed extents, offsets and counts, everywhere.
using index = std::int64_t;

/// A vocabulary id.
using token_id = std::int32_t;

}  // namespace plateau
