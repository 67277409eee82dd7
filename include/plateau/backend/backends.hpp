#pragma once
/// All backends: what the templates of the layers call. The CUDA backend's operations are only declared here, they live in
/// `plateau::cuda`, so that a program for the CPU alone needs none of it.

#include <plateau/backend/cpu.hpp>
#include <plateau/backend/cuda.hpp>
