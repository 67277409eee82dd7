# cmake -DSOURCE=<plateau> -DKIND=find_package|one_file|subdirectory|fetch_content -DMAIN_BUILD=<built plateau> -DBUILD=<scratch>
#       [-DCUDA_LIBRARY=<plateau::cuda, built or not>] [-DCOMPILED_LIBRARY=<plateau::compiled, built or not>]
#       -DSETTINGS=<cache entries, | between them> -P consumer.cmake
# Configures, builds and runs the project tests/consumer/KIND; for find_package and one_file against a fresh install.
cmake_minimum_required(VERSION 3.25)

string(REPLACE "|" ";" SETTINGS "${SETTINGS}")
file(REMOVE_RECURSE ${BUILD})
if(KIND STREQUAL "one_file" AND NOT EXISTS "${COMPILED_LIBRARY}")
    message(STATUS "skipped: plateau::compiled is not built")
    return()
endif()
if(KIND MATCHES "find_package|one_file")
    execute_process(COMMAND ${CMAKE_COMMAND} --install ${MAIN_BUILD} --prefix ${BUILD}/prefix OUTPUT_QUIET
                    COMMAND_ERROR_IS_FATAL ANY)
    list(APPEND SETTINGS -DCMAKE_PREFIX_PATH=${BUILD}/prefix)
    if(CUDA_LIBRARY AND EXISTS ${CUDA_LIBRARY})
        list(APPEND SETTINGS -DPLATEAU_EXPECT_CUDA=ON)
    endif()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE}/tests/consumer/${KIND} -B ${BUILD}/build ${SETTINGS}
                -DPLATEAU_SOURCE=${SOURCE} COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD}/build COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${BUILD}/build --output-on-failure --no-tests=error
                COMMAND_ERROR_IS_FATAL ANY)
