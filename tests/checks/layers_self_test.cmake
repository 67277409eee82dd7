# cmake -DBUILD=<scratch folder> -P layers_self_test.cmake
# Plants one offence at a time in a small tree and requires that layers.cmake sees it and says so.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/planted.cmake)

# expect(name "message or empty for a clean tree" path content [path content ...])
function(expect name message)
    set(root ${BUILD}/${name})
    file(REMOVE_RECURSE ${root})
    file(WRITE ${root}/plateau/core/base.hpp "#pragma once\n#include <vector>\n")
    file(WRITE ${root}/plateau/tensor/eigen.hpp "#pragma once\n#include <Eigen/Core>\n#include <plateau/core/base.hpp>\n")
    file(WRITE ${root}/plateau/plateau.hpp "#pragma once\n#include <plateau/tensor/eigen.hpp>\n")
    while(ARGN)
        list(POP_FRONT ARGN path content)
        file(WRITE ${root}/plateau/${path} "#pragma once\n${content}\n")
    endwhile()
    require_refused(${name} "${message}" layers -DROOT=${root})
endfunction()

expect(clean "")
expect(comment "" core/a.hpp "// #include <plateau/sweep/b.hpp>, and Eigen::Map, would be wrong here")
expect(upward "upward include of tensor/eigen.hpp \\(layer 1\\)" core/a.hpp "#include <plateau/tensor/eigen.hpp>")
expect(upward_far "io/a.hpp \\(layer 2\\): upward include of sweep/b.hpp \\(layer 7\\)"
    sweep/b.hpp "" io/a.hpp "  #  include <plateau/sweep/b.hpp>")
expect(upward_engine "models/a.hpp \\(layer 5\\): upward include of engine/read/b.hpp \\(layer 6\\)"
    engine/read/b.hpp "" models/a.hpp "#include <plateau/engine/read/b.hpp>")
expect(upward_sweep "engine/a.hpp \\(layer 6\\): upward include of sweep/b.hpp \\(layer 7\\)"
    sweep/b.hpp "" engine/a.hpp "#include <plateau/sweep/b.hpp>")
expect(upward_program "sweep/a.hpp \\(layer 7\\): upward include of program/b.hpp \\(layer 8\\)"
    program/b.hpp "" sweep/a.hpp "#include <plateau/program/b.hpp>")
expect(downward "" engine/b.hpp "#include <plateau/core/base.hpp>" sweep/b.hpp "#include <plateau/engine/b.hpp>"
    program/b.hpp "#include <plateau/sweep/b.hpp>\n#include <plateau/engine/b.hpp>")
expect(umbrella "includes the umbrella" sweep/a.hpp "#include <plateau/plateau.hpp>")
expect(sideways "sideways include of metrics/b.hpp" paths/a.hpp "#include <plateau/metrics/b.hpp>" metrics/b.hpp "")
expect(sideways_statistics "sideways include of metrics/b.hpp" statistics/a.hpp "#include <plateau/metrics/b.hpp>" metrics/b.hpp "")
expect(sideways_upper "sideways include of hooks/b.hpp" viz/a.hpp "#include <plateau/hooks/b.hpp>" hooks/b.hpp "")
expect(cycle "include cycle: nn/a.hpp -> nn/b.hpp -> nn/c.hpp -> nn/a.hpp"
    nn/a.hpp "#include <plateau/nn/b.hpp>" nn/b.hpp "#include <plateau/nn/c.hpp>" nn/c.hpp "#include <plateau/nn/a.hpp>"
    nn/d.hpp "#include <plateau/nn/a.hpp>")
expect(self "include cycle: nn/a.hpp -> nn/a.hpp" nn/a.hpp "#include <plateau/nn/a.hpp>")
expect(astray "nothing but plateau.hpp stands directly" extra.hpp "")
expect(unknown_folder "the folder 'misc' has no layer" misc/a.hpp "")
expect(missing "which does not exist" core/a.hpp "#include <plateau/core/absent.hpp>")
expect(quotes "in quotes" core/a.hpp "#include \"base.hpp\"")
expect(eigen "models/a.hpp: includes <Eigen/Dense>" models/a.hpp "#include <Eigen/Dense>")
expect(eigen_name "models/a.hpp: names Eigen::" models/a.hpp "void f(Eigen::MatrixXd const&)")
expect(eigen_in_backend "" backend/cpu/a.hpp "#include <Eigen/Core>\nusing m = Eigen::MatrixXd;")
expect(xtensor "io/a.hpp: includes <xtensor/xarray.hpp>" io/a.hpp "#include <xtensor/xarray.hpp>")
expect(json "io/a.hpp: includes <rapidjson/reader.h>" io/a.hpp "#include <rapidjson/reader.h>")
expect(json_reader "" io/json_reader.hpp "#include <plateau/io/impl/json_reader.ipp>"
    io/impl/json_reader.ipp "#include <rapidjson/reader.h>\n#include <plateau/io/json_reader.hpp>")
expect(openssl "io/a.hpp: includes <openssl/evp.h>" io/a.hpp "#include <openssl/evp.h>"
    program/a.hpp "#include <openssl/evp.h>\nusing context = EVP_MD_CTX")
expect(cuda "nn/a.hpp: includes <cuda_runtime.h>" nn/a.hpp "#include <cuda_runtime.h>"
    backend/cuda/a.cuh "#include <cuda_runtime.h>")
expect(cuda_in_cuh "" backend/cuda/a.cuh "#include <cuda_runtime.h>\nusing s = cudaStream_t;")
expect(cuda_in_hpp "backend/cuda/a.hpp: includes <cuda_runtime.h>, but CUDA is for" backend/cuda/a.hpp "#include <cuda_runtime.h>")
expect(cuh "backend/cuda/a.hpp: a .hpp includes the .cuh" backend/cuda/a.hpp "#include <plateau/backend/cuda/k.cuh>"
    backend/cuda/k.cuh "")
expect(inl_astray "nn/k.inl: .inl files, included once per instruction set, belong to backend/cpu/kernels" nn/k.inl "")
expect(ipp_astray "core/a.ipp: folders impl/ hold .ipp files" core/a.ipp "" core/a.hpp "")
expect(impl_astray "core/impl/a.hpp: folders impl/ hold .ipp files" core/impl/a.hpp "")
expect(ipp_alone "core/impl/a.ipp: there is no core/a.hpp whose bodies these could be" core/impl/a.ipp "")
expect(ipp_of_another "core/b.hpp: includes core/impl/a.ipp, which is for core/a.hpp alone" core/a.hpp "" core/impl/a.ipp ""
    core/b.hpp "#include <plateau/core/impl/a.ipp>")
expect(ipp_upward "core/impl/a.ipp \\(layer 0\\): upward include of tensor/eigen.hpp" core/a.hpp ""
    core/impl/a.ipp "#include <plateau/tensor/eigen.hpp>")
expect(ipp_cycle "include cycle: core/a.hpp -> core/impl/a.ipp -> core/b.hpp -> core/a.hpp"
    core/a.hpp "#include <plateau/core/impl/a.ipp>" core/impl/a.ipp "#include <plateau/core/a.hpp>\n#include <plateau/core/b.hpp>"
    core/b.hpp "#include <plateau/core/a.hpp>")
expect(cuh_astray "nn/k.cuh: .cuh files belong to backend/cuda" nn/k.cuh "")
expect(cuda_word "engine/a.hpp: says cuda" engine/a.hpp "template <class C> bool slow = C::is_cuda;")
expect(cuda_macro "models/a.hpp: says cuda" models/a.hpp "#if PLATEAU_HAS_CUDA\n#endif")
expect(cuda_string "program/a.hpp: says cuda" program/a.hpp "inline char const* backend = \"cuda\"")
expect(cuda_beside "backend/rows.hpp: says cuda" backend/rows.hpp "namespace plateau::backend::cuda {}")
expect(cuda_umbrella "sweep/a.hpp: says cuda" sweep/a.hpp "#include <plateau/backend/cuda.hpp>" backend/cuda.hpp "")
expect(cuda_list "" backend/backends.hpp "#if PLATEAU_HAS_CUDA\n#include <plateau/backend/cuda.hpp>\n#endif"
    backend/cuda.hpp "#include <plateau/backend/cuda/a.hpp>" backend/cuda/a.hpp "class cuda_context {}"
    engine/a.hpp "// what CUDA does is not known here")
expect(backends "do not know each other" backend/cpu/a.hpp "#include <plateau/backend/cuda/b.hpp>" backend/cuda/b.hpp "")
