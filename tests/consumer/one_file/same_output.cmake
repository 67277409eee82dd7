# cmake -DA=<program> -DB=<program> -DMODEL=<what both take> -P same_output.cmake
foreach(program IN ITEMS A B)
    execute_process(COMMAND ${${program}} ${MODEL} OUTPUT_VARIABLE says_${program} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(NOT says_A STREQUAL says_B OR says_A STREQUAL "")
    message(FATAL_ERROR "${A} says\n${says_A}\n${B} says\n${says_B}")
endif()
