# plateau_find_or_fetch(NAME TARGET target [VERSION v] GIT url TAG tag [OPTIONS NAME=VALUE ...])
# The system's package if it is there (then no network is needed), otherwise the pinned release.
include(FetchContent)

function(plateau_find_or_fetch name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "TARGET;VERSION;GIT;TAG" "OPTIONS")
    if(TARGET ${arg_TARGET})
        return()  # the embedding project has brought its own
    endif()
    foreach(option IN LISTS arg_OPTIONS)
        string(REGEX MATCH "^([^=]+)=(.*)$" matched "${option}")
        set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
    endforeach()
    set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)  # let the options above win over the cache in older projects
    set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL OFF)  # 3.25 writes broken code if it adds the GLOBAL below by itself
    FetchContent_Declare(${name} GIT_REPOSITORY ${arg_GIT} GIT_TAG ${arg_TAG} GIT_SHALLOW ON SYSTEM
                         FIND_PACKAGE_ARGS ${arg_VERSION} QUIET GLOBAL)
    FetchContent_MakeAvailable(${name})
    if(NOT TARGET ${arg_TARGET})
        message(FATAL_ERROR "plateau: the package ${name} defines no target ${arg_TARGET}. Remove it, or point "
                            "${name}_DIR at another one.")
    endif()
endfunction()
