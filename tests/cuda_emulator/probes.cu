#include "common/cuda.h"
#include "probes.h"

namespace ptfast {
namespace {

constexpr int kBlock = 256;

__global__ void sum_kernel(const float* __restrict__ in, int64_t n, float* __restrict__ out) {
  __shared__ float sums[kBlock];
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kBlock;
  for (int64_t first = blockIdx.x * static_cast<int64_t>(kBlock); first < n; first += stride) {
    const int64_t i = first + threadIdx.x;
    sums[threadIdx.x] = i < n ? in[i] : 0.f;
    __syncthreads();
    for (int step = kBlock / 2; step > 0; step /= 2) {
      if (static_cast<int>(threadIdx.x) < step) sums[threadIdx.x] += sums[threadIdx.x + step];
      __syncthreads();
    }
    if (threadIdx.x == 0) atomicAdd(out, sums[0]);
    __syncthreads();
  }
}

// Each thread takes its neighbour's number; without the barrier it may come too early.
template <bool kBarrier>
__global__ void neighbour_kernel(const float* __restrict__ in, float* __restrict__ out) {
  PTFAST_DYNAMIC_SHARED(float, numbers);
  numbers[threadIdx.x] = in[threadIdx.x];
  if (kBarrier) __syncthreads();
  out[threadIdx.x] = numbers[(threadIdx.x + 1) % blockDim.x];
}

template <typename T>
__global__ void unwritten_kernel(float* out) {
  __shared__ T fixed[2];
  PTFAST_DYNAMIC_SHARED(float, dynamic);
  out[2 * blockIdx.x] = static_cast<float>(fixed[1]);
  out[2 * blockIdx.x + 1] = dynamic[1];
  fixed[1] = T(7);
  dynamic[1] = 7.f;
}

__global__ void overrun_kernel() {
  PTFAST_DYNAMIC_SHARED(float, numbers);
  numbers[threadIdx.x] = 1.f;
}

// out: [12, threads]
template <typename T>
__global__ void warp_kernel(const T* __restrict__ in, T* __restrict__ out) {
  const unsigned all = 0xffffffffu, lane = threadIdx.x % 32;
  const T x = in[threadIdx.x];
  T* own = out + threadIdx.x;
  const auto put = [&](T value) {
    *own = value;
    own += blockDim.x;
  };
  put(__shfl_sync(all, x, 5));
  put(__shfl_sync(all, x, 9, 8));
  put(__shfl_up_sync(all, x, 3));
  put(__shfl_up_sync(all, x, 3, 8));
  put(__shfl_down_sync(all, x, 3));
  put(__shfl_down_sync(all, x, 3, 8));
  put(__shfl_xor_sync(all, x, 6));
  put(T(__popc(__ballot_sync(all, x > T(100)))));
  put(T(__any_sync(all, x == in[7])));
  put(T(__all_sync(all, x >= in[0])));
  put(T(__ffs(__match_any_sync(all, x > T(100) ? T(1) : T(0)))));
  // Halves of a warp apart from each other.
  const unsigned half = lane < 16 ? 0xffffu : 0xffff0000u;
  put(T(lane < 16 ? __reduce_add_sync(half, lane) : __reduce_max_sync(half, lane)));
}

// Half of the warp is elsewhere, or the lane itself is not named.
__global__ void broken_kernel(int kind, int* out) {
  const int lane = threadIdx.x;
  if (kind == 0 && lane < 16) return;
  if (kind == 1 && lane < 16) __syncwarp();
  if (kind == 2 && lane < 16) {
    __syncthreads();
    return;
  }
  if (kind == 3) __syncthreads();
  out[lane] = __shfl_sync(kind == 4 ? 0xfffeu : 0xffffffffu, lane, 3);
}

__global__ void barrier_kernel(const int* in, int* out) {
  int* own = out + threadIdx.x * 3;
  own[0] = __syncthreads_or(in[threadIdx.x]);
  own[1] = __syncthreads_and(in[threadIdx.x]);
  own[2] = __syncthreads_count(in[threadIdx.x]);
}

__global__ void places_kernel(int* out) {
  const int block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const int thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  out[block * blockDim.x * blockDim.y * blockDim.z + thread] += 100 * block + thread;
}

}  // namespace

int probe_sum(const float* in, int64_t n, float* out) {
  return launch(sum_kernel, grid_size(n, kBlock), kBlock, 0, nullptr, in, n, out);
}
int probe_neighbour(const float* in, int threads, bool barrier, float* out) {
  const auto kernel = barrier ? neighbour_kernel<true> : neighbour_kernel<false>;
  return launch(kernel, 1, threads, threads * sizeof(float), nullptr, in, out);
}
int probe_unwritten(bool integer, int blocks, float* out) {
  const auto kernel = integer ? unwritten_kernel<int> : unwritten_kernel<float>;
  return launch(kernel, blocks, 1, 8, nullptr, out);
}
int probe_overrun(int threads, int64_t shared) { return launch(overrun_kernel, 1, threads, shared, nullptr); }
int probe_shared_limit(int64_t shared) {
  const cudaError_t status = allow_shared(overrun_kernel, shared);
  return status == cudaSuccess ? probe_overrun(1, shared) : status;
}
template <typename T>
int probe_warp(const T* in, int threads, T* out) {
  return launch(warp_kernel<T>, 1, threads, 0, nullptr, in, out);
}
template int probe_warp(const float*, int, float*);
template int probe_warp(const double*, int, double*);
template int probe_warp(const int*, int, int*);
template int probe_warp(const long long*, int, long long*);
int probe_broken(int kind, int threads, int* out) { return launch(broken_kernel, 1, threads, 0, nullptr, kind, out); }
int probe_barriers(const int* in, int threads, int* out) {
  return launch(barrier_kernel, 1, threads, 0, nullptr, in, out);
}
int probe_places(int* out) { return launch(places_kernel, dim3(3, 2, 2), dim3(4, 3, 2), 0, nullptr, out); }

}  // namespace ptfast
