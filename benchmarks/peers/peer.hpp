#pragma once
/// Loads the modules of this folder.

#include <cstdlib>
#include <memory>
#include <string>

#include <dlfcn.h>

#include <plateau/backend/cpu/choose_instruction_set.hpp>

#include "product.hpp"

namespace baked {
extern char const* const peers;  ///< the folder of the modules
}

namespace plateau::benchmarks {

/// A peer, or nothing where the build left its module out.
class peer {
public:
    explicit peer(std::string const& name) {
#if defined(__x86_64__)
        setenv("OPENBLAS_CORETYPE", openblas_kernels(), 0);  // what the user has set stays
#endif
        void* const module = dlopen((std::string(baked::peers) + "/" + name + ".so").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (module == nullptr) return;
        auto const get = reinterpret_cast<plateau_peer_table const* (*)()>(dlsym(module, "plateau_peer"));
        if (get != nullptr) table_ = get();
    }

    explicit operator bool() const { return table_ != nullptr; }
    char const* name() const { return table_->name(); }

    /// A prepared product; empty if the peer cannot do it.
    using product = std::unique_ptr<void, void (*)(void*)>;
    product prepare(float const* weight, long outputs, long inputs, long rows, bool bf16) const {
        return {table_->prepare(weight, outputs, inputs, rows, bf16), table_->release};
    }
    void multiply(product const& prepared, float const* x, float* y) const { table_->multiply(prepared.get(), x, y); }

private:
    /// OpenBLAS takes slow kernels for processors that it does not know; these are its best with AVX-512, and without.
    static char const* openblas_kernels() {
        return backend::widest_instruction_set() >= backend::instruction_set::avx512 ? "SkylakeX" : "Haswell";
    }

    plateau_peer_table const* table_ = nullptr;
};

}  // namespace plateau::benchmarks
