# cmake -DNM=<nm> -DOBJECTS=<|-separated> -P no_kernels.cmake
# Fails if an object defines a kernel of the CPU backend: it would be compiled with that object's flags, -O1, and the linker would
# take it before the one of plateau::compiled.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" OBJECTS "${OBJECTS}")
if(NOT OBJECTS)
    message(FATAL_ERROR "there is no object to look into")
endif()
foreach(object IN LISTS OBJECTS)
    execute_process(COMMAND ${NM} --defined-only --demangle ${object} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    if(symbols MATCHES "\n[0-9a-f]+ [a-zA-Z] ([a-z]+ )?(plateau::backend::(avx2|avx512|plain)::[^\n]*)")
        message(SEND_ERROR "${object} defines ${CMAKE_MATCH_2}: what it is needed for wants a line of PLATEAU_COMPILED_FUNCTION or PLATEAU_COMPILED_CLASS in its header")
    endif()
endforeach()
