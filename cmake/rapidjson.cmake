# plateau_find_rapidjson() makes the target plateau_rapidjson: the headers of the system if they are there, otherwise, in
# a build, those of the pinned release. RapidJSON has no target of its own, and its package of a distribution may have none.
# Included by the build and, once installed, by plateauConfig.cmake: the machine that compiles decides.
function(plateau_find_rapidjson)
    if(TARGET plateau_rapidjson)
        return()
    endif()
    find_path(PLATEAU_RAPIDJSON_INCLUDE_DIR rapidjson/reader.h)
    set(headers ${PLATEAU_RAPIDJSON_INCLUDE_DIR})
    if(NOT headers AND COMMAND plateau_find_or_fetch)
        include(FetchContent)
        FetchContent_Declare(rapidjson GIT_REPOSITORY https://github.com/Tencent/rapidjson.git GIT_TAG v1.1.0 GIT_SHALLOW ON
                             GIT_SUBMODULES "" SOURCE_SUBDIR headers_only)  # no such folder: its own build is not wanted
        FetchContent_MakeAvailable(rapidjson)
        set(headers ${rapidjson_SOURCE_DIR}/include)
    endif()
    if(NOT headers)
        message(FATAL_ERROR "plateau: there is no rapidjson/reader.h. Install rapidjson-dev, or point "
                            "PLATEAU_RAPIDJSON_INCLUDE_DIR at the folder that holds rapidjson/.")
    endif()
    add_library(plateau_rapidjson INTERFACE IMPORTED GLOBAL)
    target_include_directories(plateau_rapidjson INTERFACE ${headers})
endfunction()
