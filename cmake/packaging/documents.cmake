# Part of the install scripts that packages.cmake makes: the changelog of a package, and man pages of the programs.
# Expects folder (to work in), documents (below the prefix), version, maintainer, date and changes; programs, a list of files, or nothing.
cmake_minimum_required(VERSION 3.25)

find_program(PLATEAU_GZIP gzip)
find_program(PLATEAU_HELP2MAN help2man)
if(NOT PLATEAU_GZIP)
    message(FATAL_ERROR "plateau: packages want gzip for changelogs and man pages; install it.")
endif()
# compress(NAME DESTINATION): folder/NAME goes to DESTINATION, below the prefix, as NAME.gz
function(compress name destination)
    execute_process(COMMAND ${PLATEAU_GZIP} -9nc ${folder}/${name} OUTPUT_FILE ${folder}/${name}.gz COMMAND_ERROR_IS_FATAL ANY)
    file(INSTALL DESTINATION "${CMAKE_INSTALL_PREFIX}/${destination}" TYPE FILE FILES ${folder}/${name}.gz)
endfunction()

execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C date -u -R -d "${date} 12:00 UTC" OUTPUT_VARIABLE stamp
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(WRITE ${folder}/changelog "plateau (${version}) unstable; urgency=medium\n\n${changes}\n -- ${maintainer}  ${stamp}\n")
compress(changelog ${documents})

if(programs AND NOT PLATEAU_HELP2MAN)
    message(NOTICE "plateau: no help2man, so the packages have no man pages")
    set(programs "")
endif()
file(MAKE_DIRECTORY ${folder}/man)
foreach(program IN LISTS programs)
    cmake_path(GET program FILENAME name)
    # help2man runs a program of that name, which here prints what man.awk makes of the program's --help.
    execute_process(COMMAND ${CMAKE_COMMAND} -E env PLATEAU_DATA=${CMAKE_INSTALL_PREFIX}/share/plateau ${program} --help
                    COMMAND awk -f ${CMAKE_CURRENT_LIST_DIR}/man.awk OUTPUT_FILE ${folder}/man/${name}.help COMMAND_ERROR_IS_FATAL ANY)
    file(WRITE ${folder}/man/${name} "#!/bin/sh\nexec cat '${folder}/man/${name}.help'\n")
    file(CHMOD ${folder}/man/${name} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    file(STRINGS ${folder}/man/${name}.help about LIMIT_COUNT 1)
    string(REGEX REPLACE "\\.$" "" about "${about}")
    execute_process(COMMAND date -u -d "${date} 12:00 UTC" +%s OUTPUT_VARIABLE seconds OUTPUT_STRIP_TRAILING_WHITESPACE)
    execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=${seconds} ${PLATEAU_HELP2MAN} --no-info
                    "--name=${about}" "--source=plateau ${version}" --version-string=${version} --output=${folder}/man/${name}.1 ${folder}/man/${name} COMMAND_ERROR_IS_FATAL ANY)
    compress(man/${name}.1 share/man/man1)
endforeach()
set(programs "")
