# Flags of our own programs, tests and benchmarks. None of them reaches a user.
set(CMAKE_CXX_EXTENSIONS OFF)
add_library(plateau_development INTERFACE)
include(${CMAKE_CURRENT_LIST_DIR}/program.cmake)
target_link_libraries(plateau_development INTERFACE plateau::plateau nlohmann_json::nlohmann_json)
target_compile_options(plateau_development INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
# g++ 12 warns about the intrinsics of its own header <avx512fintrin.h> in everything that Eigen vectorises.
target_compile_options(plateau_development INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
# g++ collects its garbage from 128 MB on, again and again: a sixth of the time of a program, and a tenth of first_light's. It is told to
# wait for 1 GiB, which few files reach; they take up to a third more memory.
target_compile_options(plateau_development INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:--param=ggc-min-heapsize=1048576>)
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
target_link_libraries(plateau_compiled PRIVATE $<BUILD_INTERFACE:plateau_development>)
target_link_libraries(plateau_program_compiled PRIVATE plateau_development)
target_compile_options(plateau_program_compiled PRIVATE $<$<CONFIG:Release>:-O1>)  # as the programs
if(TARGET plateau_compiled_cuda)
    target_link_libraries(plateau_compiled_cuda PRIVATE $<BUILD_INTERFACE:plateau_development>)
endif()
