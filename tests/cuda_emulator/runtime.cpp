#include "emulator/runtime.h"

#include "emulator.h"

const char* cudaGetErrorString(cudaError_t status) {
  switch (status) {
    case cudaSuccess:
      return "no error";
    case cudaErrorInvalidValue:
      return "invalid argument";
    case cudaErrorInvalidConfiguration:
      return "invalid configuration argument";
    case cudaErrorInvalidDevice:
      return "invalid device ordinal";
    case cudaErrorNotSupported:
      return "operation not supported";
  }
  return "unknown error";
}

cudaError_t cudaSetDevice(int index) { return index == 0 ? cudaSuccess : cudaErrorInvalidDevice; }

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return cudaSuccess;
  if (value < 0 || static_cast<size_t>(value) > cuda_emulator::kSharedOptIn) return cudaErrorInvalidValue;
  cuda_emulator::allow_shared(kernel, static_cast<size_t>(value));
  return cudaSuccess;
}

// A small device, so that a thread of a persistent kernel has more than one item to work on.
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = cuda_emulator::kMaxThreads;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = cuda_emulator::kShared;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = cuda_emulator::kSharedOptIn;
      return cudaSuccess;
    case cudaDevAttrWarpSize:
      *value = warpSize;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = 2;
      return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = 1024;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 7;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 5;
      return cudaSuccess;
  }
  return cudaErrorInvalidValue;
}
