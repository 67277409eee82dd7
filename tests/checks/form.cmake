# cmake -DSOURCE=<plateau> -P form.cmake
# Every header starts with #pragma once and has at most 450 lines.
cmake_minimum_required(VERSION 3.25)

set(root ${SOURCE}/include/plateau)
file(GLOB_RECURSE headers RELATIVE ${root} ${root}/*.hpp ${root}/*.cuh)
foreach(header IN LISTS headers)
    file(READ ${root}/${header} text)
    if(NOT text MATCHES "^#pragma once\n")
        message(SEND_ERROR "${header}: the first line has to be #pragma once")
    endif()
    string(REGEX REPLACE "[^\n]" "" newlines "${text}")
    string(LENGTH "${newlines}" lines)
    if(lines GREATER 450)
        message(SEND_ERROR "${header}: ${lines} lines; one concept per header, 450 lines at most")
    endif()
endforeach()
