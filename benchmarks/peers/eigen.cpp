// Eigen as a peer, compiled for the machine that builds it.
#include <string>

#include <Eigen/Core>

#include "product.hpp"

namespace {

using matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

struct product {
    Eigen::Map<matrix const> weight;
    long rows;
};

char const* name() {
    static std::string const text = "Eigen " + std::to_string(EIGEN_WORLD_VERSION) + "." +
                                    std::to_string(EIGEN_MAJOR_VERSION) + "." + std::to_string(EIGEN_MINOR_VERSION) +
                                    ", " + Eigen::SimdInstructionSetsInUse();
    return text.c_str();
}

void* prepare(float const* weight, long outputs, long inputs, long rows, bool bf16) {
    return bf16 ? nullptr : new product{{weight, outputs, inputs}, rows};
}

void multiply(void* prepared, float const* x, float* y) {
    auto const& p = *static_cast<product const*>(prepared);
    Eigen::Map<matrix>(y, p.rows, p.weight.rows()).noalias() =
        Eigen::Map<matrix const>(x, p.rows, p.weight.cols()) * p.weight.transpose();
}

void release(void* prepared) { delete static_cast<product*>(prepared); }

constexpr plateau_peer_table table{name, prepare, multiply, release};

}  // namespace

PLATEAU_PEER { return &table; }
