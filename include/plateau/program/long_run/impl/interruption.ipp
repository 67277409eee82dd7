#pragma once
/// Bodies of program/long_run/interruption.hpp.

#include <csignal>
#include <initializer_list>

#include <plateau/program/long_run/interruption.hpp>

namespace plateau::program {

namespace detail {

/// What a handler may touch.
PLATEAU_PROGRAM_INLINE volatile std::sig_atomic_t interruption_wished = 0;

extern "C" PLATEAU_PROGRAM_INLINE void note_interruption(int signal) {
    interruption_wished = 1;
    std::signal(signal, SIG_DFL);
}

}  // namespace detail

PLATEAU_PROGRAM_INLINE interruption::interruption() {
    for (int const one : {SIGINT, SIGTERM}) {
        if (std::signal(one, detail::note_interruption) == SIG_IGN) std::signal(one, SIG_IGN);  // as under nohup
    }
}

PLATEAU_PROGRAM_INLINE interruption::~interruption() {
    for (int const one : {SIGINT, SIGTERM}) {
        if (std::signal(one, SIG_DFL) == SIG_IGN) std::signal(one, SIG_IGN);
    }
}

PLATEAU_PROGRAM_INLINE bool interruption::wished() { return detail::interruption_wished != 0; }

}  // namespace plateau::program
