# cmake -DNM=<nm> -DOBJECT=<object of the 20-line example> -DFUNCTIONS=<at most> -DBYTES=<at most> -P emitted.cmake
# What users wait for is mostly what the compiler has to emit: more than now is to be noticed, however fast the machine is today.
cmake_minimum_required(VERSION 3.25)

execute_process(COMMAND ${NM} --defined-only --print-size ${OBJECT} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[0-9a-f]+ [0-9a-f]+ [tTwWu] [^\n]*" functions "${symbols}")
set(count 0)
set(bytes 0)
foreach(line IN LISTS functions)
    string(REGEX MATCH "^[0-9a-f]+ 0*([0-9a-f]+) " found "${line}")
    math(EXPR count "${count} + 1")
    math(EXPR bytes "${bytes} + 0x${CMAKE_MATCH_1}")
endforeach()
message(STATUS "${count} functions (${FUNCTIONS} at most), ${bytes} bytes of them (${BYTES} at most)")
if(count EQUAL 0 OR count GREATER FUNCTIONS OR bytes GREATER BYTES)
    message(FATAL_ERROR "The 20-line example has ${count} functions of ${bytes} bytes; ${FUNCTIONS} and ${BYTES} are the limits. Look for what "
                        "every user now compiles (nm --size-sort), put plain functions into impl/*.ipp, or raise the limits and say why.")
endif()
