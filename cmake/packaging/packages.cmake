# cpack: Debian packages libplateau-dev (headers, CMake files, libraries) and plateau-tools (programs, their man pages and the embedded
# model), each with copyright, changelog and SPDX document. To be included when all targets are there.
include(${CMAKE_CURRENT_LIST_DIR}/spdx.cmake)
set(folder ${PROJECT_BINARY_DIR}/packaging)
set(PLATEAU_MAINTAINER "plateau contributors <plateau@example.org>" CACHE STRING "whom the packages name as their maintainer")
get_property(programs GLOBAL PROPERTY plateau_programs)
list(REMOVE_ITEM programs your_own)  # it is there to be copied

plateau_read_changes(${CMAKE_CURRENT_LIST_DIR}/README.md changes_version changes_date changes)
plateau_write_spdx(${folder}/plateau.spdx.json ${PROJECT_SOURCE_DIR}/include/plateau/README.md ${changes_date})
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/README.md ${PROJECT_SOURCE_DIR}/include/plateau/README.md)

# `cmake --install` without --component is for those who compile, and needs no build: all of this is left out there.
set(components dev)
set(dev_package libplateau-dev)
set(tools_package plateau-tools)
if(programs)
    list(APPEND components tools)
    add_custom_target(plateau_tools DEPENDS ${programs})
    install(TARGETS ${programs} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT tools EXCLUDE_FROM_ALL)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/data/embedded DESTINATION ${CMAKE_INSTALL_DATADIR}/plateau COMPONENT tools EXCLUDE_FROM_ALL)
    list(TRANSFORM programs REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE files)
    install(CODE "set(programs \"${files}\")" COMPONENT tools EXCLUDE_FROM_ALL)
endif()
foreach(component IN LISTS components)
    set(documents ${CMAKE_INSTALL_DATADIR}/doc/${${component}_package})
    install(FILES ${CMAKE_CURRENT_LIST_DIR}/debian/copyright ${folder}/plateau.spdx.json DESTINATION ${documents}
        COMPONENT ${component} EXCLUDE_FROM_ALL)
    install(CODE "set(folder \"${folder}\")\nset(documents \"${documents}\")\nset(version ${PROJECT_VERSION})
set(maintainer \"${PLATEAU_MAINTAINER}\")\nset(date ${changes_date})\nset(changes [==[${changes}]==])
include(\"${CMAKE_CURRENT_LIST_DIR}/documents.cmake\")" COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${dev_package} COMPONENT dev EXCLUDE_FROM_ALL)
file(GLOB recipes ${PROJECT_SOURCE_DIR}/examples/*.cpp)
install(FILES ${recipes} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${dev_package}/examples COMPONENT dev EXCLUDE_FROM_ALL)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/programs DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${dev_package}/examples
    COMPONENT dev EXCLUDE_FROM_ALL)

# What the headers want is a dependency, and what plateau::compiled was compiled with, which whoever links it links; what only some
# headers want and is found by CMake where it is there, a recommendation or a suggestion.
plateau_read_libraries(${PROJECT_SOURCE_DIR}/include/plateau/README.md rows)
set(depends pkg-config)
set(recommends cmake g++)
set(suggests ${tools_package})
foreach(row IN LISTS rows)
    plateau_library_row("${row}")
    string(REGEX REPLACE ";.*" "" asked "${row_finds}")
    string(REGEX REPLACE "^lib|-[0-9]+$" "" asked "${asked}")
    string(TOUPPER "${asked}" asked)
    if(row_of STREQUAL "library" OR (row_of STREQUAL "library, optional" AND TARGET PkgConfig::PLATEAU_${asked}))
        list(APPEND depends ${row_debian})
    elseif(row_of STREQUAL "programs")
        list(APPEND recommends ${row_debian})
    elseif(row_of MATCHES ", optional$" AND row_debian)
        list(JOIN row_debian " | " row_debian)
        list(APPEND suggests ${row_debian})
    endif()
endforeach()
list(TRANSFORM depends REPLACE "^(libeigen3-dev)$" "\\1 (>= 3.4)")

set(CPACK_PACKAGE_NAME plateau)
set(CPACK_PACKAGE_CONTACT "${PLATEAU_MAINTAINER}")
set(CPACK_PACKAGE_DIRECTORY ${folder})
set(CPACK_GENERATOR DEB)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_LIST_DIR}/before.cmake)
set(CPACK_PLATEAU_UNFIT "")  # see before.cmake
foreach(option IN ITEMS PLATEAU_NATIVE PLATEAU_SANITIZE)
    if(${option})
        list(APPEND CPACK_PLATEAU_UNFIT "-D${option}=OFF")
    endif()
endforeach()
if(TARGET plateau_cuda)
    list(APPEND CPACK_PLATEAU_UNFIT "-DPLATEAU_CUDA=OFF")  # cuBLASLt is in no package of Debian
endif()
if(NOT programs)
    list(APPEND CPACK_PLATEAU_UNFIT "-DPLATEAU_BUILD_EXAMPLES=ON")
elseif(NOT CMAKE_CONFIGURATION_TYPES AND NOT CMAKE_BUILD_TYPE STREQUAL "Release")
    list(APPEND CPACK_PLATEAU_UNFIT "-DCMAKE_BUILD_TYPE=Release")
endif()
set(CPACK_COMPONENTS_ALL ${components})
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SOURCE plateau)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_DEV_PACKAGE_NAME ${dev_package})
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
foreach(field IN ITEMS depends recommends suggests)
    string(TOUPPER ${field} upper)
    list(JOIN ${field} ", " CPACK_DEBIAN_DEV_PACKAGE_${upper})
endforeach()
set(CPACK_COMPONENT_DEV_DESCRIPTION "A header-only C++20 library: patch an activation of a language model along a
path, push thousands of patched rows through the remaining layers, and measure
where the output holds still and where it jumps. Reads published checkpoints
(safetensors and GGUF).
.
Headers, CMake files, and the same code compiled once (plateau::compiled).
Kernels for AVX2 and AVX-512 are chosen when a program runs.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME ${tools_package})
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "Programs that patch activations of a language model along paths and measure
where the output holds still and where it jumps: stable_regions, slice_2d,
derivatives, activation_patching and others, each with a man page.
.
A small model comes along, which they take if no other is given. Kernels for
AVX2 and AVX-512 are chosen when a program runs.")
include(CPack)
