// The main function of every test program, compiled once.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdio>
#include <cstdlib>

#include <plateau/backend/cpu/choose_instruction_set.hpp>

// Before any object of a test is made: PLATEAU_INSTRUCTION_SET names what this processor does not have. CTest skips
// what says so.
[[gnu::constructor(101)]] static void require_instruction_set() {
    try {
        plateau::backend::chosen_instruction_set();
    } catch (plateau::usage_error const& problem) {
        std::fprintf(stderr, "%s\n", problem.what());
        std::_Exit(1);
    }
}

// Tests ask for more memory than there is, to see the exception; the sanitizer would end the program instead.
extern "C" char const* __asan_default_options();
extern "C" char const* __asan_default_options() { return "allocator_may_return_null=1"; }

// fontconfig keeps what it read of the machine's fonts until the process ends.
extern "C" char const* __lsan_default_suppressions();
extern "C" char const* __lsan_default_suppressions() { return "leak:libfontconfig\n"; }

int main(int argc, char* argv[]) { return Catch::Session().run(argc, argv); }
