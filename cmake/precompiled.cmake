# plateau::precompiled, and where plateau::cuda is plateau::precompiled_cuda, static libraries of the engine's templates over one
# backend, in float and double. The headers know nothing of it: a target that links one of them is compiled behind a generated header
# which declares its instances with `extern template`. Nothing is built unless something links it.
set(plateau_precompiled_headers models/forward_in_pieces models/generate models/logit_difference models/shuffled_weights models/token_losses
    sweep/activation_patching sweep/angle_maps sweep/answer_logits sweep/freeze sweep/interpolate sweep/predictions sweep/refine_jumps
    sweep/slice sweep/stream_activations sweep/transplant_gap)
# What is instantiated, by its arguments: C a context, T an element type, M the model that loading gives. What has no context is in
# plateau::precompiled, which the other one links.
set(plateau_precompiled_class_T hooks::hook_set hooks::plan hooks::recording)
set(plateau_precompiled_class_C_T models::transformer models::logit_difference)
set(plateau_precompiled_class_C_M models::running_prompts sweep::answer_logits sweep::patched_rows sweep::transplant_gap)
set(plateau_precompiled_function_T backend::kernels_of sweep::at_grid sweep::straight_lines)
set(plateau_precompiled_function_T_C models::load models::load_random models::load_shuffled sweep::read_distances)
set(plateau_precompiled_function_C_M models::forward models::forward_in_pieces models::generate models::token_losses
    sweep::activation_statistics sweep::angle_maps sweep::distances_along sweep::freeze sweep::last_activations sweep::patch_activations
    sweep::read_predictions sweep::refine_jumps sweep::slice sweep::surface_distances)

# plateau_precompiled_instances(CONTEXT T KIND OUT): all of them, each after KIND, which is `template` or `extern template`
function(plateau_precompiled_instances context T kind out)
    set(C backend::${context})
    set(M "models::language_model<${C}, ${T}>")
    set(text "\nnamespace plateau {\n\n${kind} struct ${M};\n")
    foreach(arguments IN ITEMS T C_T T_C C_M)
        if(arguments STREQUAL "T" AND NOT context STREQUAL "cpu_context")
            continue()
        endif()
        string(REPLACE "_" ";" letters ${arguments})
        set(list "")
        foreach(letter IN LISTS letters)
            list(APPEND list "${${letter}}")
        endforeach()
        list(JOIN list ", " list)
        foreach(name IN LISTS plateau_precompiled_class_${arguments})
            string(APPEND text "${kind} class ${name}<${list}>;\n")
        endforeach()
        foreach(name IN LISTS plateau_precompiled_function_${arguments})
            string(APPEND text "${kind} decltype(${name}<${list}>) ${name}<${list}>;\n")
        endforeach()
    endforeach()
    set(${out} "${text}\n}  // namespace plateau\n" PARENT_SCOPE)
endfunction()

# plateau_precompiled_library(TARGET CONTEXT LIBRARY...): LIBRARY... is what it is compiled with and linked to
function(plateau_precompiled_library target context)
    set(folder ${PROJECT_BINARY_DIR}/${target})
    list(TRANSFORM plateau_precompiled_headers REPLACE "(.+)" "#include <plateau/\\1.hpp>\n" OUTPUT_VARIABLE includes)
    string(CONCAT includes ${includes})
    set(declarations "")
    set(sources "")
    foreach(type IN ITEMS float double)
        plateau_precompiled_instances(${context} ${type} "extern template" declared)
        plateau_precompiled_instances(${context} ${type} "template" instances)
        string(APPEND declarations "${declared}")
        file(CONFIGURE OUTPUT ${folder}/${type}.cpp CONTENT "${includes}${instances}" @ONLY)
        list(APPEND sources ${folder}/${type}.cpp)
    endforeach()
    file(CONFIGURE OUTPUT ${folder}/${target}.hpp CONTENT "#pragma once\n${includes}${declarations}" @ONLY)
    add_library(${target} STATIC EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(${target} PUBLIC ${ARGN})
    target_compile_options(${target} INTERFACE "SHELL:-include ${folder}/${target}.hpp")
endfunction()

plateau_precompiled_library(plateau_precompiled cpu_context plateau)
add_library(plateau::precompiled ALIAS plateau_precompiled)
if(TARGET plateau_cuda)
    plateau_precompiled_library(plateau_precompiled_cuda cuda_context plateau_precompiled plateau_cuda)
    add_library(plateau::precompiled_cuda ALIAS plateau_precompiled_cuda)
endif()
