# plateau::program: the library, and what the headers of program/ need beside it. For programs of one's own over program::study, that of
# an embedding project with PLATEAU_PROGRAM=ON; the installed package has it as a component.
include_guard()
# A value of JSON to fill and to look into; the library itself only reads.
plateau_find_or_fetch(nlohmann_json TARGET nlohmann_json::nlohmann_json VERSION 3.11
    GIT https://github.com/nlohmann/json.git TAG v3.11.3
    OPTIONS JSON_BuildTests=OFF JSON_Install=OFF)
plateau_find_or_fetch(CLI11 TARGET CLI11::CLI11 VERSION 2.1
    GIT https://github.com/CLIUtils/CLI11.git TAG v2.4.2
    OPTIONS CLI11_BUILD_TESTS=OFF CLI11_BUILD_EXAMPLES=OFF CLI11_BUILD_DOCS=OFF CLI11_PRECOMPILED=OFF)
find_package(OpenSSL 1.1 QUIET COMPONENTS Crypto)  # SHA-256 of weights; no part of it is compiled here, so none is fetched
if(NOT TARGET OpenSSL::Crypto)
    message(FATAL_ERROR "plateau: the programs, the tests and the benchmarks need libcrypto of OpenSSL 1.1 or later, which is not here. "
                        "Install it (Debian: libssl-dev), or set OPENSSL_ROOT_DIR to where it is.")
endif()
find_package(SQLite3 QUIET)  # journals of long runs; without it --journal is an error that says so
if(PLATEAU_MPI)
    set(MPI_CXX_SKIP_MPICXX ON)  # the functions of C are what is called
    find_package(MPI QUIET COMPONENTS CXX)
    if(NOT TARGET MPI::MPI_CXX)
        message(FATAL_ERROR "plateau: PLATEAU_MPI is ON and there is no MPI here. Install one (Debian: libopenmpi-dev or libmpich-dev), "
                            "or turn it off.")
    endif()
endif()
add_library(plateau_program INTERFACE)
add_library(plateau::program ALIAS plateau_program)
target_link_libraries(plateau_program INTERFACE plateau::plateau CLI11::CLI11 nlohmann_json::nlohmann_json OpenSSL::Crypto)
target_compile_definitions(plateau_program INTERFACE PLATEAU_VERSION="${PROJECT_VERSION}")
if(TARGET SQLite::SQLite3)
    target_link_libraries(plateau_program INTERFACE SQLite::SQLite3)
    target_compile_definitions(plateau_program INTERFACE PLATEAU_HAS_SQLITE=1)
else()
    message(STATUS "plateau: no SQLite, so runs keep no journals (Debian: libsqlite3-dev)")
endif()
if(PLATEAU_MPI)
    target_link_libraries(plateau_program INTERFACE MPI::MPI_CXX)
    target_compile_definitions(plateau_program INTERFACE PLATEAU_HAS_MPI=1)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/report.cmake)
plateau_add_report_texts(plateau_program ${PROJECT_SOURCE_DIR}/include)

# Its bodies compiled once, for the programs of this project. It comes before plateau::compiled where they are linked.
file(GLOB_RECURSE bodies CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/include/plateau/program/*.ipp)
list(TRANSFORM bodies REPLACE "(.+)" "#include <\\1>\n")
string(CONCAT bodies ${bodies})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/plateau_compiled/program.cpp CONTENT "${bodies}" @ONLY)
add_library(plateau_program_compiled STATIC EXCLUDE_FROM_ALL ${PROJECT_BINARY_DIR}/plateau_compiled/program.cpp)
target_link_libraries(plateau_program_compiled PUBLIC plateau_program)
target_compile_definitions(plateau_program_compiled PUBLIC PLATEAU_PROGRAM_COMPILED=1 PRIVATE PLATEAU_COMPILED=1)
