#include "common/cuda.h"
#include "oks/oks.h"
#include "oks/oks_grad.h"
#include "oks/oks_tile.h"

namespace ptfast {
namespace {

constexpr int kThreads = 256;

template <typename T, bool kMasked, bool kMeanArea>
struct OksPairs {
  using Value = T;
  // Rows a thread owns in large tiles. Each adds accumulators of all its pairs, and doubles, masks and an area of each
  // pair leave fewer registers for them.
  static constexpr int kRowsEach = sizeof(T) > 4 ? 0 : kMasked || kMeanArea ? 4 : 8;
  OksInputs<T> in;

  template <typename Tile>
  size_t shared_bytes() const {
    return OksTile<T, kMasked, kMeanArea>::template shared_bytes<Tile>(in.shape.k);
  }

  template <typename Tile, typename Values>
  __device__ void values(const Tile& tile, unsigned char* shared, Values& values) const {
    const PoseSide<T> a{in.a, in.a_visible, nullptr, tile.problem * in.shape.n + tile.row, tile.rows};
    const PoseSide<T> b{in.b, in.b_visible, nullptr, tile.problem * in.shape.m + tile.column, tile.columns};
    OksTile<T, kMasked, kMeanArea>{a, b, in.area_a, in.area_b, in.sigmas, in.shape.k}.values(tile, shared, values);
  }
};

// A thread sums one pose's gradient over the other side: no atomics, so that the result is the same every time.
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

// A kernel of its own for each combination of masks and areas: the plain one keeps neither words of visibility nor
// areas of pairs in registers.
template <typename T>
int oks_matrix_cuda(const OksInputs<T>& in, T* out, int device, void* stream) {
  const bool masked = in.a_visible != nullptr || in.b_visible != nullptr;
  if (in.area_a == nullptr)
    return masked ? fill_pairs(OksPairs<T, true, false>{in}, out, device, stream)
                  : fill_pairs(OksPairs<T, false, false>{in}, out, device, stream);
  return masked ? fill_pairs(OksPairs<T, true, true>{in}, out, device, stream)
                : fill_pairs(OksPairs<T, false, true>{in}, out, device, stream);
}

template <typename T>
int oks_matrix_backward_cuda(const T* grad_out, const OksInputs<T>& in, T* grad_a, T* grad_b, int device,
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
template int oks_matrix_backward_cuda(const float*, const OksInputs<float>&, float*, float*, int, void*);
template int oks_matrix_backward_cuda(const double*, const OksInputs<double>&, double*, double*, int, void*);

}  // namespace ptfast
