# cmake -DSOURCE=<plateau> -DBUILD=<scratch folder> -DSETTINGS=... -P headers_self_test.cmake
# Plants one offence at a time and requires that headers.cmake fails, for that reason.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/planted.cmake)

set(root ${BUILD}/include)
set(ENV{LC_ALL} C)  # the messages that are looked for

# expect(name target "message, or empty for a clean tree" "text of the planted header")
function(expect name target message text)
    file(WRITE ${root}/plateau/core/planted.hpp "${text}\n")
    require_refused(${name} "${message}" headers -DSOURCE=${SOURCE} -DROOT=${root} -DBUILD=${BUILD}/build -DTARGET=${target}
        "-DSETTINGS=${SETTINGS}|-DPLATEAU_CORE_ONLY=ON")
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
