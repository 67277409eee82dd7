// The main function of every test program, compiled once.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

// Tests ask for more memory than there is, to see the exception; the sanitizer would end the program instead.
extern "C" char const* __asan_default_options();
extern "C" char const* __asan_default_options() { return "allocator_may_return_null=1"; }

// fontconfig keeps what it read of the machine's fonts until the process ends.
extern "C" char const* __lsan_default_suppressions();
extern "C" char const* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
