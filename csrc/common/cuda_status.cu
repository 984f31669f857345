#include <cuda_runtime.h>

#include "common/cuda_status.h"

namespace ptfast {

const char* cuda_error(int status) { return cudaGetErrorString(static_cast<cudaError_t>(status)); }

int cuda_runtime_version() {
  int version = 0;
  return cudaRuntimeGetVersion(&version) == cudaSuccess ? version : 0;
}

int cuda_driver_version() {
  int version = 0;
  return cudaDriverGetVersion(&version) == cudaSuccess ? version : 0;
}

}  // namespace ptfast
