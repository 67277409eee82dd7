# An overlay port: it takes the sources that it lies among.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../../.." ABSOLUTE)
vcpkg_check_linkage(ONLY_STATIC_LIBRARY)
if(NOT "compiled" IN_LIST FEATURES)
    set(VCPKG_BUILD_TYPE release)  # headers alone
endif()

set(options "")
foreach(pair IN ITEMS tokenizers=PCRE2 tokenizers=UTF8PROC npz=ZLIB npz=MINIZIP pictures=CAIRO xtensor=XTENSOR)
    string(REGEX MATCH "^(.*)=(.*)$" pair "${pair}")
    set(feature "${CMAKE_MATCH_1}")
    set(library "${CMAKE_MATCH_2}")
    if(feature IN_LIST FEATURES)
        list(APPEND options -DPLATEAU_WITH_${library}=ON)
    else()
        list(APPEND options -DPLATEAU_WITH_${library}=OFF)
    endif()
endforeach()
vcpkg_find_acquire_program(PKGCONFIG)
vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}"
    OPTIONS ${options}
        -DPLATEAU_BUILD_TESTS=OFF -DPLATEAU_BUILD_EXAMPLES=OFF -DPLATEAU_BUILD_BENCHMARKS=OFF -DPLATEAU_CUDA=OFF -DPLATEAU_INSTALL=ON
        "-DPKG_CONFIG_EXECUTABLE=${PKGCONFIG}"
)
if("compiled" IN_LIST FEATURES)
    vcpkg_cmake_build(TARGET plateau_compiled)  # nothing builds it unless something links it
endif()
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/plateau)
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
if(NOT "compiled" IN_LIST FEATURES)
    file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib")
endif()
file(INSTALL "${CMAKE_CURRENT_LIST_DIR}/usage" DESTINATION "${CURRENT_PACKAGES_DIR}/share/${PORT}")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
