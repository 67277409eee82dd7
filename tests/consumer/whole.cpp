// A project of its own that uses the library with what came along: Eigen, and the flags that say what else is there.
#include <plateau/tensor/buffer.hpp>
#include <plateau/tensor/eigen.hpp>

#if !defined(PLATEAU_HAS_PCRE2) || !defined(PLATEAU_HAS_UTF8PROC) || !defined(PLATEAU_HAS_MINIZIP) || \
    !defined(PLATEAU_HAS_CAIRO)
#error "plateau::plateau has to say which optional libraries it brings"
#endif
#ifndef EIGEN_NO_CUDA
#error "plateau::plateau has to define EIGEN_NO_CUDA"
#endif

int main() {
    plateau::tensor::buffer<double, 2> values{{3, 4}};
    plateau::tensor::as_eigen(values.view()).setOnes();
    return plateau::tensor::as_eigen(values.view()).sum() == 12 ? 0 : 1;
}
