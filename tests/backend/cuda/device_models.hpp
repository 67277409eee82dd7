#pragma once
/// Models of both backends, compiled once in device_models.cpp for all sources that this header is put before.

#include <plateau/engine/load.hpp>

#ifndef PLATEAU_DEVICE_MODELS
#define PLATEAU_DEVICE_MODELS extern template
#endif

namespace plateau {

#define PLATEAU_MODELS_OF(T)                                                                               \
    PLATEAU_DEVICE_MODELS decltype(assemble<T, backend::cpu_context>) assemble<T, backend::cpu_context>;   \
    PLATEAU_DEVICE_MODELS decltype(assemble<T, backend::cuda_context>) assemble<T, backend::cuda_context>; \
    PLATEAU_DEVICE_MODELS decltype(load_on<T, backend::cpu_context>) load_on<T, backend::cpu_context>;     \
    PLATEAU_DEVICE_MODELS decltype(load_on<T, backend::cuda_context>) load_on<T, backend::cuda_context>;   \
    PLATEAU_DEVICE_MODELS decltype(load<T>) load<T>

PLATEAU_MODELS_OF(float);
PLATEAU_MODELS_OF(double);

#undef PLATEAU_MODELS_OF

}  // namespace plateau
