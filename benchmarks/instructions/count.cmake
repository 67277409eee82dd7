# cmake -DVALGRIND=<valgrind> -DPROGRAM=<counted_product> -DMOST=<number> -P count.cmake
# Instructions that a matrix product takes on the AVX2 path, per 1000 multiply-adds: at most MOST. Time is too noisy for a
# test, the number of instructions is the same on every machine. An accumulator that the compiler moves to memory and back
# doubles it. (valgrind knows no AVX-512.)
cmake_minimum_required(VERSION 3.25)

set(ENV{PLATEAU_INSTRUCTION_SET} avx2)
execute_process(COMMAND ${VALGRIND} --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=counted_product ${PROGRAM}
    OUTPUT_VARIABLE multiply_adds ERROR_VARIABLE report RESULT_VARIABLE status OUTPUT_STRIP_TRAILING_WHITESPACE)
if(report MATCHES "this processor has no avx2")
    message("this processor has no avx2")
    return()
endif()
if(NOT status EQUAL 0 OR NOT report MATCHES "Collected : ([0-9]+)")
    message(FATAL_ERROR "${PROGRAM} under valgrind gave ${status} and no count:\n${report}")
endif()
math(EXPR instructions "1000 * ${CMAKE_MATCH_1} / ${multiply_adds}")
message("${instructions} instructions per 1000 multiply-adds, the limit is ${MOST}")
if(instructions EQUAL 0 OR instructions GREATER MOST)
    message(FATAL_ERROR "the AVX2 kernel takes ${instructions} instructions per 1000 multiply-adds, at most ${MOST} are allowed: "
                        "does the compiler keep its sums in memory?")
endif()
