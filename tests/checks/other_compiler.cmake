# cmake -DCOMPILER=<clang++> -DFLAGS=<|-separated> -DROOT=<include> -DINSTANCES=<|-separated sources> -DBUILD=<scratch> -P other_compiler.cmake
# The headers are read by another compiler than the one that builds the tests: all of them (without those of CUDA and of program/,
# which want what FLAGS may not have), and the instances of their templates.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" FLAGS "${FLAGS}")
string(REPLACE "|" ";" INSTANCES "${INSTANCES}")
list(FILTER FLAGS EXCLUDE REGEX "^-[ID]$")
list(TRANSFORM FLAGS REPLACE "^-I/usr/include/(.*)" "-isystem/usr/include/\\1")
file(GLOB_RECURSE headers RELATIVE ${ROOT} ${ROOT}/*.hpp)
list(FILTER headers EXCLUDE REGEX "/(cuda|program)/|/cuda\\.hpp$")
list(TRANSFORM headers REPLACE "(.+)" "#include <\\1>\n")
string(CONCAT text ${headers})
file(WRITE ${BUILD}/all.cpp "${text}")
foreach(source IN ITEMS ${BUILD}/all.cpp ${INSTANCES})
    set(compiled "")
    if(NOT source STREQUAL "${BUILD}/all.cpp")
        set(compiled -DPLATEAU_COMPILED=1)
    endif()
    execute_process(COMMAND ${COMPILER} -std=c++20 -Wall -Wextra -Wno-unknown-warning-option ${FLAGS} -I${ROOT} ${compiled} -fsyntax-only ${source}
        RESULT_VARIABLE status ERROR_VARIABLE says)
    if(NOT status EQUAL 0 OR says MATCHES "warning:")
        message(SEND_ERROR "${COMPILER} does not take ${source}:\n${says}")
    endif()
endforeach()
