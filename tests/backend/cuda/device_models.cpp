// The instances that device_models.hpp tells.
#define PLATEAU_DEVICE_MODELS template
#include "backend/cuda/device_models.hpp"
