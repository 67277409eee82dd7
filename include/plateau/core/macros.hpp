#pragma once
/// Preprocessor switches of the library: header-only or compiled, and marks for the compiler.

/// 1 where the bodies of plain functions are linked (the target plateau::compiled says so), 0 where the headers bring
/// them along. All files of a program should agree.
#ifndef PLATEAU_COMPILED
#define PLATEAU_COMPILED 0
#endif

/// One of these two stands before every function that is defined in an impl/*.ipp. PLATEAU_INLINE is for functions that
/// run a few times per file or program: in the header-only build they are compiled for size, which users wait less for.
/// PLATEAU_INLINE_HOT is for those that run per word, element or block, and are compiled for speed.
/// Measured with g++ 12 -O2 on a file that opens checkpoints of both formats and tokenizers (1 core, best of 3): all of
/// them plain `inline` 12.6 s and 217 KB of code; these two and the PLATEAU_RARE of core/impl/error.ipp 10.6 s, 185 KB;
/// `#pragma GCC optimize("Os")` over whole files 13.6 s, 202 KB, because library templates are not inlined across it.
#if PLATEAU_COMPILED
#define PLATEAU_INLINE
#define PLATEAU_INLINE_HOT
#else
#define PLATEAU_INLINE [[gnu::cold]] inline
#define PLATEAU_INLINE_HOT inline
#endif

/// A function on the way to an exception, or one that runs once: compiled for size and never inlined. For at most 15
/// functions in the whole library, each where a measurement shows the need.
/// Measured as above: without it on `concat` and the constructor of `error` 3 % more code, as every `throw` then puts
/// its message together in place.
#define PLATEAU_RARE [[gnu::cold, gnu::noinline]]
