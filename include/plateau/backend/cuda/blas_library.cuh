#pragma once
/// The functions of cuBLASLt, from a library that is loaded when the first of them is called.

#include <dlfcn.h>

#include <cublasLt.h>

#include <plateau/core/error.hpp>

namespace plateau::backend::cuda {

/// Linked, cuBLASLt would take 66 ms and 155 MB of every program at its start, whether there is a device or not.
class blas_library {
    struct symbol {
        void* address;
        template <class Function>
        operator Function*() const {
            return reinterpret_cast<Function*>(address);
        }
    };

    static std::string file() { return concat({"libcublasLt.so.", CUBLAS_VER_MAJOR}); }

    /// One that the process has already, if it is of the version that this is compiled for.
    static bool is_here() {
        decltype(&cublasLtGetVersion) const version = symbol{::dlsym(RTLD_DEFAULT, "cublasLtGetVersion")};
        return version != nullptr && version() / 10000 == CUBLAS_VER_MAJOR;
    }

    static void* open() {
        if (is_here()) return RTLD_DEFAULT;
        void* const library = ::dlopen(file().c_str(), RTLD_NOW | RTLD_LOCAL);
        if (library != nullptr) return library;
        throw device_error("matrix products on a device need cuBLAS: ", ::dlerror(), "; install it, put the folder of ",
                           file(), " into LD_LIBRARY_PATH, or use --backend cpu");
    }

    symbol find(char const* name) const {
        void* const address = ::dlsym(library_, name);
        if (address != nullptr) return {address};
        throw device_error(file(), " has no function ", name, ": install another cuBLAS of version ", CUBLAS_VER_MAJOR,
                           ", or use --backend cpu");
    }

    void* library_ = open();

public:
    decltype(&cublasLtGetStatusString) text = find("cublasLtGetStatusString");
    decltype(&cublasLtCreate) create = find("cublasLtCreate");
    decltype(&cublasLtDestroy) destroy = find("cublasLtDestroy");
    decltype(&cublasLtMatrixLayoutCreate) layout_create = find("cublasLtMatrixLayoutCreate");
    decltype(&cublasLtMatrixLayoutDestroy) layout_destroy = find("cublasLtMatrixLayoutDestroy");
    decltype(&cublasLtMatmulDescCreate) operation_create = find("cublasLtMatmulDescCreate");
    decltype(&cublasLtMatmulDescSetAttribute) operation_set = find("cublasLtMatmulDescSetAttribute");
    decltype(&cublasLtMatmulDescDestroy) operation_destroy = find("cublasLtMatmulDescDestroy");
    decltype(&cublasLtMatmulPreferenceCreate) preference_create = find("cublasLtMatmulPreferenceCreate");
    decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set = find("cublasLtMatmulPreferenceSetAttribute");
    decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy = find("cublasLtMatmulPreferenceDestroy");
    decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic = find("cublasLtMatmulAlgoGetHeuristic");
    decltype(&cublasLtMatmulAlgoConfigSetAttribute) algorithm_set = find("cublasLtMatmulAlgoConfigSetAttribute");
    decltype(&cublasLtMatmulAlgoCheck) algorithm_check = find("cublasLtMatmulAlgoCheck");
    decltype(&cublasLtMatmul) multiply = find("cublasLtMatmul");
};

/// It stays until the process ends. @throws device_error where it is not found
inline blas_library const& cublas() {
    static blas_library const library;
    return library;
}

}  // namespace plateau::backend::cuda
