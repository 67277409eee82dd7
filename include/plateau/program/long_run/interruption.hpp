#pragma once
/// Interruption of a run that keeps a journal: SIGINT or SIGTERM ends it at its next chunk, a second one at once.

#include <plateau/program/compiled.hpp>

namespace plateau::program {

/// While it lives the first of these signals is noted instead of ending the process; then they do again what they did.
class interruption {
public:
    interruption();
    ~interruption();
    interruption(interruption const&) = delete;
    interruption& operator=(interruption const&) = delete;

    /// Whether one came since the first object was made.
    static bool wished();
};

}  // namespace plateau::program

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/interruption.ipp>
#endif
