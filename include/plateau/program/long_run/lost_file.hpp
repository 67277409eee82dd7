#pragma once
/// A mapped file that is truncated while it is read: the signal becomes a message and exit status 1.

#include <string>

#include <plateau/program/compiled.hpp>

namespace plateau::program::lost_file {

/// From now on SIGBUS ends the process with a message that names the program and what it reads. Nothing that was
/// published is touched, and a journal holds what it held.
/// @param reads  the model's path; empty before one is read
void expect(std::string const& program, std::string const& reads = "");

}  // namespace plateau::program::lost_file

#if !PLATEAU_PROGRAM_COMPILED
#include <plateau/program/long_run/impl/lost_file.ipp>
#endif
