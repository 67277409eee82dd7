# plateau::precompiled, and where plateau::cuda is plateau::precompiled_cuda: static libraries of the library's templates in float and
# double. The headers know nothing of it: a target that links one of them is compiled behind a generated header which declares its
# instances with `extern template`. Nothing is built unless something links it. What is above the engine is of no backend and in a
# library of its own, which both link; they differ in the backends that `load` knows.
set(plateau_precompiled_headers engine/model engine/generate engine/read/answer_logits engine/read/logit_difference
    engine/read/predictions engine/read/token_losses engine/read/whole_paths sweep/activation_patching sweep/angle_maps sweep/freeze
    sweep/interpolate sweep/refine_jumps sweep/slice sweep/stream_activations sweep/transplant_gap)
set(plateau_precompiled_classes hooks::hook_set hooks::plan hooks::recording hooks::activation_cache hooks::cached_array
    engine::prefix_runs engine::patched_rows engine::growing_texts engine::answer_logits engine::logit_difference
    sweep::transplant_gap)
set(plateau_precompiled_functions backend::kernels_of engine::forward engine::forward_in_pieces engine::generate engine::token_losses
    engine::read_distances engine::read_predictions engine::read_paths sweep::distances_along sweep::straight_lines sweep::at_grid
    sweep::surface_distances sweep::slice sweep::angle_maps sweep::freeze sweep::refine_jumps sweep::patch_activations
    sweep::last_activations sweep::activation_statistics)
set(plateau_precompiled_loading models::open load)

# plateau_precompiled_instances(KIND OUT CLASSES FUNCTIONS): instances of both types, each after KIND, which is `template` or
# `extern template`
function(plateau_precompiled_instances kind out classes functions)
    set(text "\nnamespace plateau {\n\n")
    foreach(type IN ITEMS float double)
        foreach(name IN LISTS classes)
            string(APPEND text "${kind} class ${name}<${type}>;\n")
        endforeach()
        foreach(name IN LISTS functions)
            string(APPEND text "${kind} decltype(${name}<${type}>) ${name}<${type}>;\n")
        endforeach()
    endforeach()
    set(${out} "${text}\n}  // namespace plateau\n" PARENT_SCOPE)
endfunction()

set(plateau_precompiled_folder ${PROJECT_BINARY_DIR}/plateau_precompiled)
list(TRANSFORM plateau_precompiled_headers REPLACE "(.+)" "#include <plateau/\\1.hpp>\n" OUTPUT_VARIABLE includes)
string(CONCAT includes ${includes})
plateau_precompiled_instances("extern template" declared "${plateau_precompiled_classes}"
    "${plateau_precompiled_functions};${plateau_precompiled_loading}")
plateau_precompiled_instances("template" above "${plateau_precompiled_classes}" "${plateau_precompiled_functions}")
plateau_precompiled_instances("template" loading "" "${plateau_precompiled_loading}")
file(CONFIGURE OUTPUT ${plateau_precompiled_folder}/plateau_precompiled.hpp CONTENT "#pragma once\n${includes}${declared}" @ONLY)
file(CONFIGURE OUTPUT ${plateau_precompiled_folder}/above.cpp CONTENT "${includes}${above}" @ONLY)
file(CONFIGURE OUTPUT ${plateau_precompiled_folder}/loading.cpp CONTENT "${includes}${loading}" @ONLY)

add_library(plateau_precompiled_above STATIC EXCLUDE_FROM_ALL ${plateau_precompiled_folder}/above.cpp)
target_link_libraries(plateau_precompiled_above PUBLIC plateau)

# plateau_precompiled_library(TARGET LIBRARY...): LIBRARY... is what it is compiled with and linked to
function(plateau_precompiled_library target)
    add_library(${target} STATIC EXCLUDE_FROM_ALL ${plateau_precompiled_folder}/loading.cpp)
    target_link_libraries(${target} PUBLIC plateau_precompiled_above ${ARGN})
    target_compile_options(${target} INTERFACE "SHELL:-include ${plateau_precompiled_folder}/plateau_precompiled.hpp")
endfunction()

plateau_precompiled_library(plateau_precompiled)
add_library(plateau::precompiled ALIAS plateau_precompiled)
if(TARGET plateau_cuda)
    plateau_precompiled_library(plateau_precompiled_cuda plateau_cuda)
    add_library(plateau::precompiled_cuda ALIAS plateau_precompiled_cuda)
endif()
