# cmake --install: headers, targets plateau::core and plateau::plateau, the libraries where they have been built, version file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

if(PROJECT_IS_TOP_LEVEL)
    set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME dev)  # what libplateau-dev holds; see packaging/packages.cmake
endif()
set(plateau_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/plateau)
target_include_directories(plateau_core INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
set(plateau_targets plateau_core)
if(TARGET plateau)
    list(APPEND plateau_targets plateau)
endif()
install(TARGETS ${plateau_targets} EXPORT plateauTargets)
install(EXPORT plateauTargets NAMESPACE plateau:: DESTINATION ${plateau_package_dir})
# The static libraries are installed if they have been built, which only what links them asks for; plateauConfig.cmake looks whether
# they are there.
foreach(library IN ITEMS compiled cuda compiled_cuda)
    if(TARGET plateau_${library})
        install(TARGETS plateau_${library} EXPORT plateau_${library} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} OPTIONAL)
        install(EXPORT plateau_${library} NAMESPACE plateau:: DESTINATION ${plateau_package_dir})
    endif()
endforeach()
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/plateau DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
set(plateau_compiled_with "")  # what links plateau::compiled has to have these, and no others
foreach(name IN ITEMS PCRE2 UTF8PROC ZLIB MINIZIP CAIRO)
    if(TARGET PkgConfig::PLATEAU_${name})
        list(APPEND plateau_compiled_with ${name})
    endif()
endforeach()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/plateauConfig.cmake.in
    ${PROJECT_BINARY_DIR}/plateauConfig.cmake INSTALL_DESTINATION ${plateau_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/plateauConfigVersion.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/plateauConfig.cmake ${PROJECT_BINARY_DIR}/plateauConfigVersion.cmake
    ${PROJECT_SOURCE_DIR}/cmake/optional.cmake ${PROJECT_SOURCE_DIR}/cmake/rapidjson.cmake
    ${PROJECT_SOURCE_DIR}/cmake/report.cmake DESTINATION ${plateau_package_dir})
