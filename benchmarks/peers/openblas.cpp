// OpenBLAS as a peer. OPENBLAS_CORETYPE, set before this module is loaded, chooses its kernels.
#include <string>

#include <cblas.h>

#include "product.hpp"

namespace {

struct product {
    float const* weight;
    long outputs, inputs, rows;
};

char const* name() {
    static std::string const text = std::string(openblas_get_config());
    return text.c_str();
}

void* prepare(float const* weight, long outputs, long inputs, long rows, bool bf16) {
    openblas_set_num_threads(1);
    return bf16 ? nullptr : new product{weight, outputs, inputs, rows};
}

void multiply(void* prepared, float const* x, float* y) {
    auto const& p = *static_cast<product const*>(prepared);
    auto const m = static_cast<blasint>(p.rows), n = static_cast<blasint>(p.outputs),
               k = static_cast<blasint>(p.inputs);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, x, k, p.weight, k, 0, y, n);
}

void release(void* prepared) { delete static_cast<product*>(prepared); }

constexpr plateau_peer_table table{name, prepare, multiply, release};

}  // namespace

PLATEAU_PEER { return &table; }
