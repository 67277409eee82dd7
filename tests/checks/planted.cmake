# require_refused(NAME MESSAGE CHECK OPTION...): runs CHECK.cmake with options and requires that it fails with a message that matches, or,
# where MESSAGE is empty, that it passes. ${planted_passes}, if set, is what it then has to say.
function(require_refused name message check)
    execute_process(COMMAND ${CMAKE_COMMAND} ${ARGN} -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/${check}.cmake
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    if(message STREQUAL "")
        if(NOT status EQUAL 0 OR NOT output MATCHES "${planted_passes}")
            message(SEND_ERROR "${name}: a clean tree was refused: ${output}")
        endif()
    elseif(status EQUAL 0)
        message(SEND_ERROR "${name}: not noticed: ${output}")
    elseif(NOT output MATCHES "${message}")
        message(SEND_ERROR "${name}: expected the message '${message}', got: ${output}")
    else()
        message(STATUS "${name}: refused (${CMAKE_MATCH_0})")
    endif()
endfunction()
