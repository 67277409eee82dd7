# The operations of the CUDA backend, by the file in include/plateau/backend/cuda/kernels that defines them. What compiles them,
# nvcc for plateau::cuda and the tests for their emulation, generates one source per file, which names every instance.
set(plateau_cuda_types float double)
set(plateau_cuda_kernels norm elementwise rows attention attention_steps linear logits sign_codes)
set(plateau_cuda_norm rms_scale centre_and_scale divide_rows affine norm)
set(plateau_cuda_elementwise add activate scale cap clip first_not_finite note_not_finite rotate)
set(plateau_cuda_rows gather_rows linear_points row_distances edit_rows)
set(plateau_cuda_attention prefix_attention tile_attention tiled_attention)
set(plateau_cuda_attention_steps attention_scores attention_softmax attention_mix)
set(plateau_cuda_linear linear linear_activate linear_outputs gather_rows split_to_bf16)
set(plateau_cuda_logits summarise_logits log_probabilities)
set(plateau_cuda_sign_codes sign_codes)  # and hamming_distances, which is of no type

# plateau_cuda_instances(FOLDER EXTENSION OUT): writes FOLDER/NAME.EXTENSION for each of them, runtime.EXTENSION and blas.EXTENSION;
# their paths go to OUT.
function(plateau_cuda_instances folder extension out)
    set(sources "")
    foreach(name IN ITEMS runtime blas)
        file(CONFIGURE OUTPUT ${folder}/${name}.${extension} CONTENT "#include <plateau/backend/cuda/${name}.cuh>\n" @ONLY)
        list(APPEND sources ${folder}/${name}.${extension})
    endforeach()
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
