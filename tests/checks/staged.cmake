# cmake -DSOURCE=<plateau> -DBUILD=<scratch folder> -DSETTINGS=<cache entries, | between them> -P staged.cmake
# Builds and tests the tree staged/ as the test command does, with and without time for all of it.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" SETTINGS "${SETTINGS}")
file(REMOVE_RECURSE ${BUILD})
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/checks/staged -B ${BUILD} ${SETTINGS} -DPLATEAU_SOURCE=${SOURCE}
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
unset(ENV{PLATEAU_START})

# expect(status minutes slow_seconds "end of the output" [option of ctest...])
function(expect status minutes slow end)
    set(ENV{PLATEAU_MINUTES} "${minutes}")
    set(ENV{SLOW} ${slow})
    execute_process(COMMAND sh ${SOURCE}/cmake/staged.sh ${SOURCE}/tests/checks/staged ${BUILD} 2 ${ARGN}
                    RESULT_VARIABLE got OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT got EQUAL status OR NOT output MATCHES "${end}$")
        message(SEND_ERROR "exit status ${got} instead of ${status}, or the output does not end with\n${end}\n${output}\n${errors}")
    endif()
endfunction()

expect(0 0.25 60 "skipped: slow: not built
skipped: slow: without slow
skipped: indirect: without slow
skipped: waits: time was up
2 passed, 0 failed, 4 skipped\n" -E fails)
expect(1 "" 0 "5 passed, 1 failed, 0 skipped\n")
expect(0 "" 0 "2 passed, 0 failed, 0 skipped\n" -R "core|slow")
