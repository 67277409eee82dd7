# The targets that users link:
#   plateau::core     the headers alone: enough for core, paths, metrics, statistics and tensor views and buffers
#   plateau::plateau  all of it, with every optional library that this machine has
#   plateau::cuda     with PLATEAU_CUDA: the kernels behind the headers of backend/cuda
#   plateau::compiled, plateau::compiled_cuda  the library compiled once, for those who compile many files or often

# Targets found here must be visible to the project that embeds us.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

find_package(Threads REQUIRED)
add_library(plateau_core INTERFACE)
add_library(plateau::core ALIAS plateau_core)
set_target_properties(plateau_core PROPERTIES EXPORT_NAME core)
target_compile_features(plateau_core INTERFACE cxx_std_20)
target_include_directories(plateau_core INTERFACE "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>")
target_link_libraries(plateau_core INTERFACE Threads::Threads)

if(PLATEAU_CORE_ONLY)
    return()
endif()

include(${CMAKE_CURRENT_LIST_DIR}/fetch.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/optional.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/rapidjson.cmake)

plateau_find_or_fetch(Eigen3 TARGET Eigen3::Eigen VERSION 3.4
    GIT https://gitlab.com/libeigen/eigen.git TAG 3.4.0
    OPTIONS BUILD_TESTING=OFF EIGEN_BUILD_DOC=OFF EIGEN_BUILD_PKGCONFIG=OFF EIGEN_BUILD_TESTING=OFF)
plateau_find_rapidjson()

add_library(plateau INTERFACE)
add_library(plateau::plateau ALIAS plateau)
target_link_libraries(plateau INTERFACE plateau_core)
# The installed package names its libraries in plateauConfig.cmake, so that a fetched one needs no export of its own.
target_link_libraries(plateau INTERFACE "$<BUILD_INTERFACE:Eigen3::Eigen>" "$<BUILD_INTERFACE:plateau_rapidjson>")
# Without it Eigen inside a CUDA file loses its vector instructions, and through one-definition trouble so may all others.
target_compile_definitions(plateau INTERFACE EIGEN_NO_CUDA)

plateau_find_optional()
plateau_link_optional(plateau)

include(${CMAKE_CURRENT_LIST_DIR}/compiled.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/cuda.cmake)
if(TARGET plateau_cuda)
    plateau_add_compiled_cuda()
endif()
