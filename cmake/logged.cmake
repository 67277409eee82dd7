# cmake -DLOG=<file> -P logged.cmake -- command...
# Runs a command and keeps what it says in a file; shows it only if the command fails.
cmake_minimum_required(VERSION 3.25)

set(command "")
set(seen FALSE)
foreach(i RANGE 1 ${CMAKE_ARGC})
    if(seen)
        list(APPEND command "${CMAKE_ARGV${i}}")
    elseif(CMAKE_ARGV${i} STREQUAL "--")
        set(seen TRUE)
    endif()
endforeach()
execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE says ERROR_VARIABLE says)
file(WRITE ${LOG} "${says}")
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${says}")
endif()
