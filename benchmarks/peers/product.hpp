#pragma once
/// What a library of matrix products offers to the benchmarks: products on one thread with a weight that stays. Each
/// one is a module of its own, loaded at run time, which shows nothing but the function `plateau_peer`: inline
/// functions of the standard library and of Eigen, compiled for other processors, never meet those of the program.

extern "C" {

struct plateau_peer_table {
    /// The library, its version and what it runs.
    char const* (*name)();
    /// Something for multiply and release, or null if the library cannot do this.
    /// @param weight  [outputs, inputs], row-major, kept by the caller      @param bf16  round weight and inputs to
    /// bfloat16
    void* (*prepare)(float const* weight, long outputs, long inputs, long rows, bool bf16);
    /// y = x · weightᵀ. @param x  [rows, inputs]      @param y  [rows, outputs]
    void (*multiply)(void* prepared, float const* x, float* y);
    void (*release)(void* prepared);
};

}  // extern "C"

#define PLATEAU_PEER extern "C" __attribute__((visibility("default"))) plateau_peer_table const* plateau_peer()
