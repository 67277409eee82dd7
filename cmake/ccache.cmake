# ccache, where it is, for everything that we compile, unless somebody has said what is to launch the compiler. What one clone has
# compiled serves another one in another folder: paths below the base are hashed as seen from where the compiler runs, and where that
# is does not count. A precompiled header counts by its bytes, which the cache holds too. So paths do not stand among the definitions of a target; see plateau_bake below.
set(PLATEAU_LAUNCHER "")
if(PROJECT_IS_TOP_LEVEL AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(PLATEAU_CCACHE ccache)
    if(PLATEAU_CCACHE)
        set(base ${PROJECT_SOURCE_DIR})  # the folder that holds the source and the build
        cmake_path(IS_PREFIX base ${PROJECT_BINARY_DIR} inside)
        while(NOT inside)
            cmake_path(GET base PARENT_PATH base)
            cmake_path(IS_PREFIX base ${PROJECT_BINARY_DIR} inside)
        endwhile()
        # One word, so that it can be handed on to other builds.
        set(PLATEAU_LAUNCHER ${PROJECT_BINARY_DIR}/plateau_ccache)
        file(CONFIGURE OUTPUT ${PLATEAU_LAUNCHER} CONTENT "#!/bin/sh
CCACHE_BASEDIR=\${CCACHE_BASEDIR:-${base}} CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros exec ${PLATEAU_CCACHE} \"\$@\"\n" @ONLY)
        file(CHMOD ${PLATEAU_LAUNCHER} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
        set(CMAKE_CXX_COMPILER_LAUNCHER ${PLATEAU_LAUNCHER})
    endif()
endif()

# plateau_bake(LIBRARY NAME path [NAME path ...]): a library of the strings baked::NAME. Where the paths are others, it alone is compiled
# anew, and not what links it.
function(plateau_bake library)
    set(text "")
    while(ARGN)
        list(POP_FRONT ARGN name path)
        string(APPEND text "extern char const* const ${name};\nchar const* const ${name} = \"${path}\";\n")
    endwhile()
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${library}.cpp)
    file(GENERATE OUTPUT ${source} CONTENT "namespace baked {\n${text}}  // namespace baked\n")
    add_library(${library} STATIC EXCLUDE_FROM_ALL ${source})
endfunction()
