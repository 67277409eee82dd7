#pragma once
/// Preprocessor switches of the library: header-only or compiled, and marks for the compiler.

/// 1 where bodies of plain functions and the instances of templates below are linked (the target plateau::compiled says
/// so), 0 where the headers bring them along.
#ifndef PLATEAU_COMPILED
#define PLATEAU_COMPILED 0
#endif

/// One of these two stands before every function that is defined in an impl/*.ipp. PLATEAU_INLINE is for functions that
/// run a few times per file, program or block of rows: in the header-only build they are compiled for size, which users
/// wait less for. It stands before templates of that kind too, where it is worth it. PLATEAU_INLINE_HOT is for those
/// that run per word, element or block, and are compiled for speed.
/// Measured with g++ 12 -O2 on a file that opens checkpoints of both formats and tokenizers: 217 KB of code with plain
/// `inline` everywhere, 185 KB with these two and PLATEAU_RARE, in about three quarters of the compiler's time;
/// `#pragma GCC optimize("Os")` over whole files gives 202 KB and takes longer: library functions are not inlined then.
#if PLATEAU_COMPILED
#define PLATEAU_INLINE
#define PLATEAU_INLINE_HOT
#else
#define PLATEAU_INLINE [[gnu::cold]] inline
#define PLATEAU_INLINE_HOT inline
#endif

/// 1 where files of torch.save are read: by plateau::compiled, and where you define it so in a file that has the bodies
/// from the headers. It is 0 there else, as it is 15 KB of code and 4 % of the compile time of a file that loads a
/// model.
#ifndef PLATEAU_TORCH_FILES
#define PLATEAU_TORCH_FILES PLATEAU_COMPILED
#endif

/// A function on the way to an exception, or one that runs once: compiled for size and never inlined. For at most 15
/// functions in the whole library, each where a measurement shows the need.
/// Measured as above, beside plain `inline`: on `concat` and the constructor of `error` alone it takes 217 KB down to
/// 206 KB, as a `throw` then no longer puts its message together in place.
#define PLATEAU_RARE [[gnu::cold, gnu::noinline]]

/// PLATEAU_COMPILED_CLASS(name); and PLATEAU_COMPILED_FUNCTION(name); stand in a header below the template name<T> that
/// it owns; for name<T, Other> the arguments are `name, Other`. They make the instances for float and double those of
/// plateau::compiled: a file that links it uses them, without compiling the template again. A function must not be
/// overloaded. PLATEAU_INSTANCE is `template` in the files that hold the instances (cmake/compiled.cmake makes them).
#if PLATEAU_COMPILED
#ifndef PLATEAU_INSTANCE
#define PLATEAU_INSTANCE extern template
#endif
#define PLATEAU_COMPILED_CLASS(name)    \
    PLATEAU_INSTANCE class name<float>; \
    PLATEAU_INSTANCE class name<double>
#define PLATEAU_COMPILED_FUNCTION(name, ...)                                                                  \
    PLATEAU_INSTANCE decltype(name<float __VA_OPT__(, ) __VA_ARGS__>) name<float __VA_OPT__(, ) __VA_ARGS__>; \
    PLATEAU_INSTANCE decltype(name<double __VA_OPT__(, ) __VA_ARGS__>) name<double __VA_OPT__(, ) __VA_ARGS__>
#else
#define PLATEAU_COMPILED_CLASS(name) static_assert(true)
#define PLATEAU_COMPILED_FUNCTION(name, ...) static_assert(true)
#endif
