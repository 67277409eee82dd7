#pragma once
/// Packed weights that the ranks of a machine have once between them.

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include <plateau/program/compiled.hpp>
#include <plateau/program/long_run/ranks.hpp>

namespace plateau::program {

/// The machine's first rank fills the memory and leaves its bytes in a file without a name, in /dev/shm or the folder
/// of temporary files, whichever has room; all ranks there map its pages over their own, copied when written to.
/// Without room, and of pages that do not lie alike, each rank has its own. A weight_sharing. @throws what `fill`
/// throws
void share_weights(ranks const& all, std::vector<std::span<std::byte>> const& memory,
                   std::function<void()> const& fill);

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/shared_weights.ipp>
#endif
