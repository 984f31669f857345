#pragma once
// Launching of kernels and naming of their dynamic shared memory. tests/cuda_emulator has a header of this name that
// runs the same kernels on the CPU, so no kernel is launched in another way.
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace ptfast {

// Upper limit of grid_size. Kernels loop over the items beyond.
constexpr int64_t kMaxBlocks = 1 << 20;

// Launches kernel(arguments...) on the current device and returns the launch's own status.
// shared: bytes of dynamic shared memory, stream: a cudaStream_t
template <typename... P, typename... A>
cudaError_t launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared, void* stream, const A&... arguments) {
  kernel<<<grid, block, shared, static_cast<cudaStream_t>(stream)>>>(arguments...);
  return cudaGetLastError();
}

// Allows a kernel more than 48 KB of dynamic shared memory on the current device.
template <typename... P>
cudaError_t allow_shared(void (*kernel)(P...), size_t shared) {
  return cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                              static_cast<int>(shared));
}

}  // namespace ptfast

// The block's dynamic shared memory as an array of T, 16-byte aligned.
#define PTFAST_DYNAMIC_SHARED(T, name)                           \
  extern __shared__ __align__(16) unsigned char ptfast_shared[]; \
  T* const name = reinterpret_cast<T*>(ptfast_shared)
