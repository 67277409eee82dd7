# cmake -DCOMPILER=... -DFLAGS=<|-separated> -DEMULATOR=<command, |-separated> -DEXPECT=<text> -DSOURCE=<plateau>
#       -DBUILD=<scratch folder> -P machine.cmake
# Compiles tests/machines/smoke.cpp for another machine, runs it in an emulator of that machine, and wants EXPECT in what
# it prints: the path that computed there.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" FLAGS "${FLAGS}")
string(REPLACE "|" ";" EMULATOR "${EMULATOR}")
file(MAKE_DIRECTORY ${BUILD})
execute_process(COMMAND ${COMPILER} -std=c++20 -O2 -static ${FLAGS} ${SOURCE}/tests/machines/smoke.cpp -o ${BUILD}/smoke
                COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${EMULATOR} ${BUILD}/smoke ${SOURCE}/tests/golden/models
                OUTPUT_VARIABLE output ERROR_VARIABLE output RESULT_VARIABLE status)
message(STATUS "${output}")
if(NOT status EQUAL 0)
    message(FATAL_ERROR "the smoke test fails in ${EMULATOR}: ${status}")
endif()
if(NOT output MATCHES "${EXPECT}")
    message(FATAL_ERROR "another path computed than ${EXPECT}")
endif()
