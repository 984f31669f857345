#include "common/cuda.h"
#include "oks/oks.h"
#include "oks/oks_grad.h"
#include "oks/oks_math.h"

namespace ptfast {
namespace {

constexpr int kThreads = 256;

template <typename T>
__device__ T oks_pair(const OksInputs<T>& in, const OksPair<T>& pair) {
  T sum = T(0);
  int count = 0;
  bool same = true;
  for (int64_t k = 0; k < in.shape.k; ++k) {
    if (!pair.common(k)) continue;
    const T dx = pair.a[2 * k] - pair.b[2 * k], dy = pair.a[2 * k + 1] - pair.b[2 * k + 1];
    ++count;
    same &= dx == T(0) && dy == T(0);
    if (pair.area > T(0)) sum += oks_term(dx, dy, oks_factor(in.sigmas[k]) / pair.area);
  }
  if (count == 0) return T(0);
  return pair.area > T(0) ? sum / T(count) : T(same ? 1 : 0);
}

template <typename T>
__global__ void oks_matrix_kernel(OksInputs<T> in, T* __restrict__ out) {  // out: [batch, n, m]
  const auto& s = in.shape;
  const int64_t pairs = s.batch * s.n * s.m, stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < pairs; i += stride) {
    const int64_t row = i / s.m, column = row / s.n * s.m + i % s.m;
    out[i] = oks_pair(in, OksPair<T>(in, row, column));
  }
}

template <typename T, bool kTransposed>
__global__ void oks_gradient_kernel(OksInputs<T> in,
                                    const T* __restrict__ grad_out,  // [batch, n, m]
                                    T* __restrict__ grad,            // [batch, n or m, k, 2]
                                    int64_t rows) {
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t row = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; row < rows; row += stride)
    oks_gradient_row<T, kTransposed>(in, grad_out, row, grad + row * in.shape.k * 2);
}

}  // namespace

template <typename T>
int oks_matrix_cuda(const OksInputs<T>& in, T* out, int device, void* stream) {
  const int64_t pairs = in.shape.batch * in.shape.n * in.shape.m;
  if (pairs == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  return launch(oks_matrix_kernel<T>, grid_size(pairs, kThreads), kThreads, 0, stream, in, out);
}

template <typename T>
int oks_matrix_backward_cuda(const OksInputs<T>& in, const T* grad_out, T* grad_a, T* grad_b, int device,
                             void* stream) {
  const auto& s = in.shape;
  const int64_t rows = s.batch * s.n, columns = s.batch * s.m;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  cudaError_t status = cudaSuccess;
  if (rows > 0)
    status = launch(oks_gradient_kernel<T, false>, grid_size(rows, kThreads), kThreads, 0, stream, in, grad_out, grad_a,
                    rows);
  if (columns > 0 && status == cudaSuccess)
    status = launch(oks_gradient_kernel<T, true>, grid_size(columns, kThreads), kThreads, 0, stream, in, grad_out,
                    grad_b, columns);
  return status;
}

template int oks_matrix_cuda(const OksInputs<float>&, float*, int, void*);
template int oks_matrix_cuda(const OksInputs<double>&, double*, int, void*);
template int oks_matrix_backward_cuda(const OksInputs<float>&, const float*, float*, float*, int, void*);
template int oks_matrix_backward_cuda(const OksInputs<double>&, const double*, double*, double*, int, void*);

}  // namespace ptfast
