#include "assignment/assignment.h"
#include "assignment/greedy_warp.h"
#include "assignment/hungarian_warp.h"
#include "common/cuda.h"

namespace ptfast {
namespace {

constexpr int kMaxWarps = 4;             // of a block
constexpr int64_t kSharedBytes = 48000;  // that every device grants a block

template <typename T>
struct Batch {
  const T* costs;  // [problems, n, m]
  int64_t problems;
  int n, m;
  T max_cost;
  int64_t* column_of_row;  // [problems, n]
};

// Copies a problem to shared memory, transposed on request, and returns the check of its costs, the same in all lanes.
template <typename T>
__device__ __forceinline__ CostCheck<T> load_costs(const T* __restrict__ from, int n, int m, T max_cost,
                                                   bool transposed, T* to) {
  CostCheck<T> check;
  for (int i = lane_number(); i < n * m; i += kWarp) {
    const T cost = from[i];
    to[transposed ? i % m * n + i / m : i] = cost;
    check.see(cost, max_cost);
  }
  check.fits = __all_sync(kWholeWarp, check.fits);
  check.valid = __all_sync(kWholeWarp, check.valid);
  __syncwarp();
  return check;
}

// A warp solves one problem at a time, out of its own part of shared memory. Trackers' problems are small: a block for
// each would leave most threads idle, a thread for each would diverge. kSlots is 2 where a lane owns two columns. The
// barrier at the end keeps the costs until all lanes are done with them.
template <typename T, int kSlots, bool kGreedy>
__global__ void assign_kernel(Batch<T> batch) {
  PTFAST_DYNAMIC_SHARED(T, shared);
  const int n = batch.n, m = batch.m, warp = threadIdx.x / kWarp, warps = blockDim.x / kWarp;
  const bool transposed = !kGreedy && n > m;  // the solver needs at least as many columns as rows
  T* costs = shared + static_cast<int64_t>(warp) * n * m;
  const WarpCosts<T> in{costs, transposed ? m : n, transposed ? n : m, batch.max_cost};
  const int64_t stride = static_cast<int64_t>(gridDim.x) * warps;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(warps) + warp; i < batch.problems; i += stride) {
    const CostCheck<T> check = load_costs(batch.costs + i * n * m, n, m, batch.max_cost, transposed, costs);
    int partner[kSlots];
    if (kGreedy)
      greedy_warp(in, partner);
    else
      hungarian_warp(in, transposed, check.fits, partner);
    for (int s = 0; s < kSlots; ++s) {
      const int row = lane_number() + s * kWarp;
      if (row < n) batch.column_of_row[i * n + row] = check.valid ? partner[s] : -1;
    }
    __syncwarp();
  }
}

template <typename T>
using AssignKernel = void (*)(Batch<T>);

template <typename T>
AssignKernel<T> kernel_for(bool greedy, bool two_slots) {
  if (greedy) return two_slots ? assign_kernel<T, 2, true> : assign_kernel<T, 1, true>;
  return two_slots ? assign_kernel<T, 2, false> : assign_kernel<T, 1, false>;
}

}  // namespace

template <typename T>
int assign_cuda(const T* costs, int64_t problems, int64_t n, int64_t m, T max_cost, AssignmentMethod method,
                int64_t* column_of_row, int device, void* stream) {
  if (problems == 0 || n == 0) return cudaSuccess;
  const int64_t longest = std::max(n, m);
  if (longest > kMaxOnGpu) return cudaErrorInvalidValue;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  // As many warps a block as find room for their problems in shared memory.
  const int64_t bytes = n * m * static_cast<int64_t>(sizeof(T));
  const auto warps = static_cast<int>(std::clamp<int64_t>(kSharedBytes / std::max<int64_t>(1, bytes), 1, kMaxWarps));
  const Batch<T> batch{costs, problems, static_cast<int>(n), static_cast<int>(m), max_cost, column_of_row};
  return launch(kernel_for<T>(method == AssignmentMethod::kGreedy, longest > kWarp), grid_size(problems, warps),
                warps * kWarp, warps * bytes, stream, batch);
}

template int assign_cuda(const float*, int64_t, int64_t, int64_t, float, AssignmentMethod, int64_t*, int, void*);
template int assign_cuda(const double*, int64_t, int64_t, int64_t, double, AssignmentMethod, int64_t*, int, void*);

}  // namespace ptfast
