# cmake -DSOURCE=<plateau> -DBUILD=<scratch folder> -DSETTINGS=... -P headers_self_test.cmake
# Plants one offence at a time and requires that headers.cmake fails, for that reason.
cmake_minimum_required(VERSION 3.25)

set(root ${BUILD}/include)
set(ENV{LC_ALL} C)  # the messages that are looked for

# expect(name target "message, or empty for a clean tree" "text of the planted header")
function(expect name target message text)
    file(WRITE ${root}/plateau/core/planted.hpp "${text}\n")
    execute_process(COMMAND ${CMAKE_COMMAND} -DSOURCE=${SOURCE} -DROOT=${root} -DBUILD=${BUILD}/build -DTARGET=${target}
                    "-DSETTINGS=${SETTINGS}|-DPLATEAU_CORE_ONLY=ON" -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/headers.cmake
                    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(message STREQUAL "")
        if(NOT status EQUAL 0)
            message(SEND_ERROR "${name}: a clean header was refused:\n${output}")
        endif()
    elseif(status EQUAL 0)
        message(SEND_ERROR "${name}: not noticed")
    elseif(NOT output MATCHES "${message}")
        message(SEND_ERROR "${name}: expected the message '${message}', got:\n${output}")
    else()
        message(STATUS "${name}: refused (${CMAKE_MATCH_0})")
    endif()
endfunction()

# Whatever comes first with all headers would lend the planted one its include, so this passes the second check alone.
file(WRITE ${root}/plateau/core/before.hpp "#pragma once\n#include <string>\n")
set(guard "#pragma once\n#include <string>\n")
expect(clean self_contained "" "${guard}inline std::string f() { return {}; }")
expect(clean double_link "" "${guard}inline std::string f() { return {}; }")
expect(lacks_an_include self_contained "'string' in namespace 'std'|no type named 'string'|implicit instantiation of undefined template 'std|undeclared identifier 'std'"
    "#pragma once\ninline std::string f() { return {}; }")
expect(lacks_a_guard self_contained "redefinition of '(int f\\(\\)|f)'" "inline int f() { return 1; }")
expect(lacks_inline double_link "multiple definition of [`']f\\(\\)" "${guard}int f() { return 1; }")
expect(lacks_inline_variable double_link "multiple definition of [`']v'" "${guard}int v = 1;")
