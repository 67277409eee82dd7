# cmake -DNAME=<mutation> -DSOURCE=<plateau> -DBUILD=<folder> -DCOMPILE=<compiler and flags, | between them>
#       -DINSTANCES=<folder of generated sources> -DPROGRAM=<cuda_tests> -P mutate.cmake
# Makes one mistake of mutations.cmake in a copy of its file, compiles the kernels with it as a shared library that takes the place
# of the right one, and requires that the tests fail. For speed: kernels and tests of float alone, up to the first failure.
cmake_minimum_required(VERSION 3.25)

function(mutation name label kernels file from to)
    if(NOT name STREQUAL NAME)
        return()
    endif()
    file(READ ${SOURCE}/include/plateau/backend/cuda/${file} text)
    string(REPLACE "${from}" "${to}" changed "${text}")
    if(changed STREQUAL text)
        message(FATAL_ERROR "${name}: ${file} has nothing like '${from}' any more; mutations.cmake has to follow")
    endif()
    file(REMOVE_RECURSE ${BUILD})
    file(WRITE ${BUILD}/include/plateau/backend/cuda/${file} "${changed}")
    file(READ ${INSTANCES}/${kernels}.cpp instances)
    string(REGEX REPLACE "template [^\n]*<double>[^\n]*\n" "" instances "${instances}")
    file(WRITE ${BUILD}/${kernels}.cpp "${instances}")

    string(REPLACE "|" ";" command "${COMPILE}")
    list(TRANSFORM command REPLACE "^-std=.*" "\\0;-I${BUILD}/include")  # before the right ones
    # In two steps, since ccache keeps what is compiled and not what is linked.
    execute_process(COMMAND ${command} -fPIC -c ${BUILD}/${kernels}.cpp -o ${BUILD}/${kernels}.o
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(status EQUAL 0)
        execute_process(COMMAND ${command} -shared ${BUILD}/${kernels}.o -o ${BUILD}/libplateau_cuda_${kernels}_on_cpu.so
                        RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    endif()
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "${name} does not compile:\n${output}")
    endif()
    set(ENV{LD_LIBRARY_PATH} ${BUILD})
    execute_process(COMMAND ${PROGRAM} "[${kernels}]*- float" --abort TIMEOUT 300
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(name STREQUAL "control")
        if(NOT status EQUAL 0)
            message(FATAL_ERROR "the control has no mistake, but:\n${output}")
        endif()
    elseif(status EQUAL 0)
        message(FATAL_ERROR "${name}: nobody noticed")
    else()
        string(REGEX MATCH "AddressSanitizer: [a-z-]+|runtime error: [^\n]*|divergent[^:]*:|lane [0-9, ]*which[^\n]*|[^\n]* FAILED:[^\n]*"
               why "${output}")
        message(STATUS "${name}: noticed (${why})")
    endif()
    set(DONE TRUE PARENT_SCOPE)
endfunction()

set(DONE FALSE)
include(${CMAKE_CURRENT_LIST_DIR}/mutations.cmake)
if(NOT DONE)
    message(FATAL_ERROR "mutations.cmake has no ${NAME}")
endif()
