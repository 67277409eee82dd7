#pragma once
/// The switch between bodies of program/impl that are linked and those that headers bring along.

/// 1 where the build links them, compiled once for all its programs; 0 where the headers bring them, as for a program
/// of one's own. None of these bodies may depend on which backends there are: programs that have other ones link them.
#ifndef PLATEAU_PROGRAM_COMPILED
#define PLATEAU_PROGRAM_COMPILED 0
#endif

/// Stands before every function that is defined in program/impl/*.ipp.
#if PLATEAU_PROGRAM_COMPILED
#define PLATEAU_PROGRAM_INLINE
#else
#define PLATEAU_PROGRAM_INLINE inline
#endif
