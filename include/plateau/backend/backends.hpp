#pragma once
/// The backends that the templates of the layers call: the CPU's, and the CUDA backend's where `plateau::cuda` is
/// linked, which says so by PLATEAU_HAS_CUDA. What only a device has, they call without naming its namespace, so that
/// nothing of it need be declared.

#include <plateau/backend/cpu.hpp>
#if PLATEAU_HAS_CUDA
#include <plateau/backend/cuda.hpp>
#endif
