# The operations of the CUDA backend, by the file in include/plateau/backend/cuda/kernels that defines them. What compiles them,
# nvcc for plateau::cuda and the tests for their emulation, generates one source per file, which names every instance.
set(plateau_cuda_types float double)
set(plateau_cuda_kernels norm elementwise rows attention)
set(plateau_cuda_norm rms_scale centre_and_scale divide_rows affine norm)
set(plateau_cuda_elementwise add activate scale cap clip first_not_finite rotate)
set(plateau_cuda_rows gather_rows linear_points row_distances)
set(plateau_cuda_attention prefix_attention tile_attention tiled_attention)

# plateau_cuda_instances(FOLDER EXTENSION OUT): writes FOLDER/NAME.EXTENSION for each of them, and runtime.EXTENSION; their paths
# go to OUT.
function(plateau_cuda_instances folder extension out)
    set(sources ${folder}/runtime.${extension})
    file(CONFIGURE OUTPUT ${sources} CONTENT "#include <plateau/backend/cuda/runtime.cuh>\n" @ONLY)
    foreach(name IN LISTS plateau_cuda_kernels)
        set(text "#include <plateau/backend/cuda/kernels/${name}.cuh>\n\nnamespace plateau::backend {\n\n")
        foreach(operation IN LISTS plateau_cuda_${name})
            foreach(type IN LISTS plateau_cuda_types)
                string(APPEND text "template decltype(${operation}<${type}>) ${operation}<${type}>;\n")
            endforeach()
        endforeach()
        file(CONFIGURE OUTPUT ${folder}/${name}.${extension} CONTENT "${text}\n}  // namespace plateau::backend\n" @ONLY)
        list(APPEND sources ${folder}/${name}.${extension})
    endforeach()
    set(${out} ${sources} PARENT_SCOPE)
endfunction()
