# cmake -DCOMPILER=... -DFLAGS=<|-separated> -DLIMIT=<seconds> (-DUNIT=<file> | -DHEADERS=<folders, |> -DROOT=<include>)
#       -DBUILD=<scratch folder> -P compile_time.cmake
# Fails if one translation unit takes the compiler (-O2, one core) longer than LIMIT. UNIT is that unit; with HEADERS it
# includes all headers of these folders. Processor time counts, of the best of three runs: what else the machine does is
# not the library's fault.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" FLAGS "${FLAGS}")
if(NOT UNIT)
    set(text "")
    string(REPLACE "|" ";" HEADERS "${HEADERS}")
    foreach(folder IN LISTS HEADERS)
        file(GLOB headers RELATIVE ${ROOT} ${ROOT}/plateau/${folder}/*.hpp)
        foreach(header IN LISTS headers)
            string(APPEND text "#include <${header}>\n")
        endforeach()
    endforeach()
    set(UNIT ${BUILD}/unit.cpp)
    file(WRITE ${UNIT} "${text}int main() {}\n")
endif()

math(EXPR limit "${LIMIT} * 1000")
file(MAKE_DIRECTORY ${BUILD})
set(best 1000000000)
foreach(run RANGE 1 3)
    execute_process(COMMAND sh -c "\"$@\" || exit; times" sh
                            ${COMPILER} -std=c++20 -O2 ${FLAGS} -c ${UNIT} -o ${BUILD}/unit.o
                    RESULT_VARIABLE status OUTPUT_VARIABLE times ERROR_VARIABLE output)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${UNIT} does not compile:\n${output}")
    endif()
    # The second line of `times`: user and system time of the children, as 0m1.230000s 0m0.120000s
    if(NOT times MATCHES "\n([0-9]+)m([0-9]+)\\.([0-9]+)s ([0-9]+)m([0-9]+)\\.([0-9]+)s")
        message(FATAL_ERROR "times of sh are not understood: ${times}")
    endif()
    string(SUBSTRING "${CMAKE_MATCH_3}000" 0 3 user_fraction)
    string(SUBSTRING "${CMAKE_MATCH_6}000" 0 3 system_fraction)
    math(EXPR milliseconds "(${CMAKE_MATCH_1} + ${CMAKE_MATCH_4}) * 60000 + (${CMAKE_MATCH_2} + ${CMAKE_MATCH_5}) * 1000 \
         + 1${user_fraction} - 1000 + 1${system_fraction} - 1000")
    if(milliseconds LESS best)
        set(best ${milliseconds})
    endif()
    if(best LESS_EQUAL limit)
        break()
    endif()
endforeach()
if(best GREATER limit)
    message(FATAL_ERROR "  ${UNIT}\n  took ${best} ms to compile, the limit is ${limit} ms")
endif()
message(STATUS "${UNIT}: ${best} ms of ${limit} ms")
