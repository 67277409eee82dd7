# The part that all three consumers share: two programs, and a test that they run.
add_executable(core ../core.cpp)
target_link_libraries(core PRIVATE plateau::core)
add_executable(whole ../whole.cpp)
target_link_libraries(whole PRIVATE plateau::plateau)

get_target_property(options plateau::core INTERFACE_COMPILE_OPTIONS)
if(options)
    message(FATAL_ERROR "plateau forces compile options on its users: ${options}")
endif()
enable_testing()
add_test(NAME core COMMAND core)
add_test(NAME whole COMMAND whole)
