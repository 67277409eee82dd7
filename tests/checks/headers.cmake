# cmake -DSOURCE=<plateau> -DROOT=<include folder> -DBUILD=<folder> -DTARGET=self_contained|double_link
#       -DSETTINGS=<cache entries, | between them> [-DUNTESTED=ON] -P headers.cmake
# Builds one target of headers/CMakeLists.txt. A second run compiles nothing that is up to date.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" SETTINGS "${SETTINGS}")
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/checks/headers -B ${BUILD} ${SETTINGS}
                -DPLATEAU_SOURCE=${SOURCE} -DPLATEAU_HEADER_ROOT=${ROOT} -DPLATEAU_UNTESTED=${UNTESTED}
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "The header checks cannot be configured:\n${output}")
endif()
include(ProcessorCount)
processorcount(cores)
if(cores EQUAL 0)
    set(cores 1)
endif()
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target ${TARGET} --parallel ${cores} RESULT_VARIABLE status)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${TARGET}: see above. A header must include what it uses, guard itself with #pragma once, and "
                        "mark every function and variable that it defines inline.")
endif()
