# plateau::cuda, a static library of the CUDA backend's kernels. nvcc is called by rules of our own and CUDA is no language of the
# project: so a project that links the library needs none of it among its languages, CMake 3.25, which knows no C++20 for CUDA, does
# not matter, and a build without nvcc is not slowed down by looking for it. What ptxas says of every kernel is kept for the tests.
include(${CMAKE_CURRENT_LIST_DIR}/cuda_kernels.cmake)

set(PLATEAU_CUDA OFF CACHE STRING "make plateau::cuda: ON, OFF or AUTO (if nvcc 13 or newer is found)")
set_property(CACHE PLATEAU_CUDA PROPERTY STRINGS ON OFF AUTO)
set(PLATEAU_CUDA_ARCHITECTURES "80;90" CACHE STRING "compute capabilities that plateau::cuda has code for")

# Sets PLATEAU_NVCC_VERSION, or PLATEAU_CUDA_MISSING to what is missing.
macro(plateau_find_cuda)
    find_program(PLATEAU_NVCC nvcc HINTS ENV CUDACXX ENV CUDA_PATH PATH_SUFFIXES bin PATHS /usr/local/cuda)
    set(PLATEAU_CUDA_MISSING "")
    if(NOT PLATEAU_NVCC)
        set(PLATEAU_CUDA_MISSING "there is no nvcc")
    else()
        execute_process(COMMAND ${PLATEAU_NVCC} --version OUTPUT_VARIABLE plateau_nvcc_says ERROR_QUIET)
        string(REGEX MATCH "release ([0-9.]+)" plateau_nvcc_says "${plateau_nvcc_says}")
        set(PLATEAU_NVCC_VERSION "${CMAKE_MATCH_1}")
        if(NOT PLATEAU_NVCC_VERSION OR PLATEAU_NVCC_VERSION VERSION_LESS 13)
            set(PLATEAU_CUDA_MISSING "${PLATEAU_NVCC} is not nvcc 13 or newer")
        else()
            find_package(CUDAToolkit 13 QUIET)
            if(NOT TARGET CUDA::cudart_static)
                set(PLATEAU_CUDA_MISSING "${PLATEAU_NVCC} is there, but not the static runtime library of CUDA")
            elseif(NOT TARGET CUDA::cublasLt)
                set(PLATEAU_CUDA_MISSING "${PLATEAU_NVCC} is there, but not the library cuBLASLt")
            endif()
        endif()
    endif()
endmacro()

if(PLATEAU_CUDA STREQUAL "OFF")
    set(PLATEAU_CUDA_MISSING "PLATEAU_CUDA is OFF")
    return()
endif()
plateau_find_cuda()
if(PLATEAU_CUDA_MISSING)
    if(NOT PLATEAU_CUDA STREQUAL "AUTO")
        message(FATAL_ERROR "PLATEAU_CUDA is ${PLATEAU_CUDA}, but ${PLATEAU_CUDA_MISSING}. Install CUDA 13, set PLATEAU_NVCC to its nvcc, "
                            "or configure with -DPLATEAU_CUDA=OFF.")
    endif()
    return()  # the tests say so
endif()

set(plateau_cuda_folder ${PROJECT_BINARY_DIR}/plateau_cuda)
plateau_cuda_instances(${plateau_cuda_folder} cu plateau_cuda_sources)
set(plateau_cuda_flags -std=c++20 -O3 -rdc=false -Xcompiler -fPIC -Werror all-warnings -Xcompiler -Wall,-Wextra
    -Xptxas -v,--warn-on-spills,--warn-on-local-memory-usage -I${PROJECT_SOURCE_DIR}/include)
foreach(architecture IN LISTS PLATEAU_CUDA_ARCHITECTURES)
    list(APPEND plateau_cuda_flags -gencode arch=compute_${architecture},code=sm_${architecture})
endforeach()
list(GET PLATEAU_CUDA_ARCHITECTURES -1 architecture)
if(architecture MATCHES "^[0-9]+$")  # for newer devices the driver compiles what is known when it runs
    list(APPEND plateau_cuda_flags -gencode arch=compute_${architecture},code=compute_${architecture})
endif()
set(plateau_cuda_objects "")
set(plateau_cuda_resources "")
foreach(source IN LISTS plateau_cuda_sources)
    cmake_path(GET source STEM name)
    set(object ${plateau_cuda_folder}/${name}.o)
    add_custom_command(OUTPUT ${object} ${object}.ptxas DEPENDS ${source} DEPFILE ${object}.d
        COMMAND ${CMAKE_COMMAND} -DLOG=${object}.ptxas -P ${CMAKE_CURRENT_LIST_DIR}/logged.cmake --
            ${PLATEAU_LAUNCHER} ${PLATEAU_NVCC} ${plateau_cuda_flags} -MD -MF ${object}.d -c ${source} -o ${object}
        COMMENT "nvcc: ${name}.cuh for ${PLATEAU_CUDA_ARCHITECTURES}" VERBATIM)
    list(APPEND plateau_cuda_objects ${object})
    list(APPEND plateau_cuda_resources ${object}.ptxas)
endforeach()
# cuBLASLt is shared, for the static one has half a gigabyte and not every installation has it, and loaded by the first product
# (backend/cuda/blas_library.cuh), from the folder where it is now unless the system or LD_LIBRARY_PATH knows another.
# What links it, builds it: a project that only takes the headers does not wait for nvcc
add_library(plateau_cuda STATIC EXCLUDE_FROM_ALL ${plateau_cuda_objects})
add_library(plateau::cuda ALIAS plateau_cuda)
set_target_properties(plateau_cuda PROPERTIES LINKER_LANGUAGE CXX EXPORT_NAME cuda)
target_link_libraries(plateau_cuda PUBLIC plateau_core CUDA::cudart_static ${CMAKE_DL_LIBS})
target_link_options(plateau_cuda INTERFACE LINKER:-rpath,$<TARGET_FILE_DIR:CUDA::cublasLt>)
# the layers then declare the operations of the CUDA backend, too
target_compile_definitions(plateau_cuda INTERFACE PLATEAU_HAS_CUDA=1)
