#include "common/cuda.h"
#include "flow/flow.h"
#include "flow/flow_math.h"

namespace ptfast {
namespace {

constexpr int kThreads = 128;

// A thread takes a point at a time, in a grid-stride loop.
template <typename T>
__global__ void sample_kernel(FlowInputs<T> in,
                              T* __restrict__ values,       // [n, 2]
                              bool* __restrict__ inside) {  // [n]
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < in.n; i += stride)
    flow_sample(in, i, values + 2 * i, inside + i);
}

// Points near each other share pixels, so the flow's gradient would need atomic additions here. Contributions are
// written out instead, for the caller to add up in a fixed order.
template <typename T>
__global__ void gradient_kernel(FlowInputs<T> in,
                                const T* __restrict__ grad_values,  // [n, 2]
                                T* __restrict__ grad_points,        // [n, 2]
                                int64_t* __restrict__ pixels,       // [n, 4]
                                T* __restrict__ contributions) {    // [n, 4, 2]
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < in.n; i += stride)
    flow_gradient(in, i, grad_values + 2 * i, grad_points + 2 * i, pixels + 4 * i, contributions + 8 * i);
}

}  // namespace

template <typename T>
int sample_flow_cuda(const FlowInputs<T>& in, T* values, bool* inside, int device, void* stream) {
  if (in.n == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  return launch(sample_kernel<T>, grid_size(in.n, kThreads), kThreads, 0, stream, in, values, inside);
}

template <typename T>
int sample_flow_backward_cuda(const T* grad_values, const FlowInputs<T>& in, T* grad_points, int64_t* pixels,
                              T* contributions, int device, void* stream) {
  if (in.n == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  return launch(gradient_kernel<T>, grid_size(in.n, kThreads), kThreads, 0, stream, in, grad_values, grad_points,
                pixels, contributions);
}

template int sample_flow_cuda(const FlowInputs<float>&, float*, bool*, int, void*);
template int sample_flow_cuda(const FlowInputs<double>&, double*, bool*, int, void*);
template int sample_flow_backward_cuda(const float*, const FlowInputs<float>&, float*, int64_t*, float*, int, void*);
template int sample_flow_backward_cuda(const double*, const FlowInputs<double>&, double*, int64_t*, double*, int,
                                       void*);

}  // namespace ptfast
