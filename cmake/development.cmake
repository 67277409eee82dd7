# Flags of our own programs, tests and benchmarks. None of them reaches a user.
set(CMAKE_CXX_EXTENSIONS OFF)
add_library(plateau_development INTERFACE)
# A value of JSON to fill and to look into; the library itself only reads.
plateau_find_or_fetch(nlohmann_json TARGET nlohmann_json::nlohmann_json VERSION 3.11
    GIT https://github.com/nlohmann/json.git TAG v3.11.3
    OPTIONS JSON_BuildTests=OFF JSON_Install=OFF)
target_link_libraries(plateau_development INTERFACE plateau::plateau nlohmann_json::nlohmann_json)
# What the headers of program/ need beside that.
plateau_find_or_fetch(CLI11 TARGET CLI11::CLI11 VERSION 2.1
    GIT https://github.com/CLIUtils/CLI11.git TAG v2.4.2
    OPTIONS CLI11_BUILD_TESTS=OFF CLI11_BUILD_EXAMPLES=OFF CLI11_BUILD_DOCS=OFF CLI11_PRECOMPILED=OFF)
add_library(plateau_program INTERFACE)
add_library(plateau::program ALIAS plateau_program)
target_link_libraries(plateau_program INTERFACE plateau::plateau CLI11::CLI11 nlohmann_json::nlohmann_json)
target_compile_definitions(plateau_program INTERFACE PLATEAU_VERSION="${PROJECT_VERSION}")
target_compile_options(plateau_development INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
# g++ 12 warns about the intrinsics of its own header <avx512fintrin.h> in everything that Eigen vectorises.
target_compile_options(plateau_development INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
if(PLATEAU_WERROR)
    target_compile_options(plateau_development INTERFACE -Werror)
endif()
if(PLATEAU_NATIVE)
    include(CheckCXXCompilerFlag)
    check_cxx_compiler_flag(-march=native PLATEAU_COMPILER_KNOWS_NATIVE)
    if(PLATEAU_COMPILER_KNOWS_NATIVE)
        target_compile_options(plateau_development INTERFACE -march=native)
    endif()
endif()
if(PLATEAU_SANITIZE)
    set(plateau_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_compile_options(plateau_development INTERFACE ${plateau_sanitizers} -g1)
    target_link_options(plateau_development INTERFACE ${plateau_sanitizers})
endif()

# The engine that our own programs link is compiled as they are.
target_link_libraries(plateau_precompiled_above PRIVATE plateau_development)
target_link_libraries(plateau_compiled PRIVATE $<BUILD_INTERFACE:plateau_development>)
target_link_libraries(plateau_precompiled PRIVATE plateau_development)
if(TARGET plateau_precompiled_cuda)
    target_link_libraries(plateau_precompiled_cuda PRIVATE plateau_development)
endif()
