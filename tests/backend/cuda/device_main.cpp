// The main function of cuda_device_tests: the tests of the CUDA backend on a real device, or one line where there is
// none.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdio>
#include <string>

#include <plateau/backend/cuda.hpp>

namespace {

/// Why nothing can run here, or nothing.
std::string missing() {
    try {
        plateau::backend::cuda_context const ctx;
        std::printf("device: %s\n", ctx.device_name().c_str());
        return {};
    } catch (plateau::device_error const& problem) {
        return problem.what();
    }
}

}  // namespace

int main(int argc, char* argv[]) {
    std::string const why = missing();
    if (why.empty()) return Catch::Session().run(argc, argv);
    bool const helps =
        why.find("use --backend cpu") != std::string::npos;  // no driver or no device, and not one that fails
    std::printf("%s%s\n", helps ? "skipped: " : "", why.c_str());
    return helps ? 0 : 1;
}
