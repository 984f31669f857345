#include <algorithm>

#include "common/half.h"
#include "common/warp.h"
#include "roi_align/taps_cuda.h"

namespace ptfast {
namespace {

// A warp owns a patch of the gradient and gathers into it from every tube that touches it, in the tubes' order. Nothing
// is added atomically, so the result is the same every time. Lanes are channels, and the patch's sums stay in shared
// memory until all tubes are in.
constexpr int kHeight = 4, kWidth = 16;  // of a patch, in pixels; its channels are a warp's lanes
constexpr int kPixels = kHeight * kWidth;
constexpr int kPitch = kWarp + 1;          // an odd pitch spares bank conflicts where the patch is turned
constexpr size_t kBlockMemory = 48 << 10;  // every device has so much for a block
constexpr int kMaxWarps = 4;               // of a block; they share nothing

// Place of a warp's patch.
struct Patch {
  int64_t batch, t, channel;  // its first channel
  int64_t top, left, height, width;
};

// Shared memory of a warp.
template <typename T>
struct PatchMemory {
  T* sums;       // [kPixels, kPitch]
  T* y_weights;  // [rows, kHeight]
  T* x_weights;  // [columns, kWidth]
};

template <typename T>
__host__ __device__ int64_t patch_numbers(int64_t rows, int64_t columns) {
  return kPixels * kPitch + rows * kHeight + columns * kWidth;
}

template <typename S, typename T>
__device__ Patch patch_of(const TubeRoiAlign<S, T>& op, const FeatureLevel<S>& level, int64_t i) {
  const int64_t across = (level.width + kWidth - 1) / kWidth, down = (level.height + kHeight - 1) / kHeight;
  const int64_t slabs = (op.channels + kWarp - 1) / kWarp;
  Patch patch;
  patch.left = i % across * kWidth, i /= across;
  patch.top = i % down * kHeight, i /= down;
  patch.channel = i % slabs * kWarp, i /= slabs;
  patch.t = i % op.frames, patch.batch = i / op.frames;
  patch.height = min(static_cast<int64_t>(kHeight), level.height - patch.top);
  patch.width = min(static_cast<int64_t>(kWidth), level.width - patch.left);
  return patch;
}

// True where samples of an axis may touch pixels [first, first + size), a guess that errs on the side of yes.
template <typename T>
__device__ bool may_touch(const RoiAxis<T>& axis, int64_t bins, int64_t first, int64_t size) {
  const T end = axis.start + axis.bin * static_cast<T>(bins);
  const T low = end < axis.start ? end : axis.start, high = end < axis.start ? axis.start : end;
  return axis.samples > 0 && low <= static_cast<T>(first + size + 1) && high >= static_cast<T>(first - 2);
}

// weights[p, i] = the weight of pixel first + i in bin p, for i < kSize; lanes take bins in turn.
template <int kSize, typename T>
__device__ void patch_weights(const RoiAxis<T>& axis, int64_t bins, int64_t size, int64_t first, T* weights) {
  for (int64_t p = lane_number(); p < bins; p += kWarp) {
    T* own = weights + p * kSize;
    for (int i = 0; i < kSize; ++i) own[i] = T(0);
    visit_samples(axis, p, size, [own, first](int64_t index, T weight) {
      if (index >= first && index < first + kSize) own[index - first] += weight;
    });
  }
}

template <int kSize, typename T>
__device__ bool any_weight(const T* weights) {
  bool any = false;
  for (int i = 0; i < kSize; ++i) any |= weights[i] != T(0);
  return any;
}

// Adds one tube's share, along y first, which leaves a column of the patch for each column of bins. Rows and columns of
// bins without a weight here are passed over by all lanes alike.
template <typename S, typename T>
__device__ void gather_tube(const TubeRoiAlign<S, T>& op, const Patch& patch, int64_t tube,
                            const PatchMemory<T>& memory) {
  const VideoStrides& s = op.bin_strides;
  const int lane = lane_number();
  const bool active = patch.channel + lane < op.channels;
  const S* grad = op.bins + tube * s.b + patch.t * s.t + (active ? patch.channel + lane : 0) * s.c;
  for (int64_t q = 0; q < op.columns; ++q) {
    const T* x = memory.x_weights + q * kWidth;
    if (!any_weight<kWidth>(x)) continue;
    T column[kHeight] = {};
    for (int64_t p = 0; p < op.rows; ++p) {
      const T* y = memory.y_weights + p * kHeight;
      if (!any_weight<kHeight>(y)) continue;
      const T value = active ? widen(grad[p * s.y + q * s.x]) : T(0);
      for (int i = 0; i < kHeight; ++i) column[i] = fma(y[i], value, column[i]);
    }
    for (int j = 0; j < kWidth; ++j) {
      if (x[j] == T(0)) continue;
      for (int i = 0; i < kHeight; ++i) {
        T& sum = memory.sums[(i * kWidth + j) * kPitch + lane];
        sum = fma(x[j], column[i], sum);
      }
    }
  }
}

// Writes the patch to the level's gradient, with the axis across the lanes that is innermost in memory.
template <typename S, typename T>
__device__ void write_patch(const TubeRoiAlign<S, T>& op, const FeatureLevel<S>& level, const Patch& patch,
                            const T* sums) {
  const VideoStrides& s = level.strides;
  S* out = level.data + patch.batch * s.b + patch.t * s.t + patch.top * s.y + patch.left * s.x + patch.channel * s.c;
  const int64_t channels = min(static_cast<int64_t>(kWarp), op.channels - patch.channel);
  for (int i = lane_number(); i < kPixels * kWarp; i += kWarp) {
    const int channel = s.c == 1 ? i % kWarp : i / kPixels, pixel = s.c == 1 ? i / kWarp : i % kPixels;
    const int y = pixel / kWidth, x = pixel % kWidth;
    if (channel < channels && y < patch.height && x < patch.width)
      narrow(sums[pixel * kPitch + channel], out + y * s.y + x * s.x + channel * s.c);
  }
}

// Gathers one patch. Each lane tests one tube of 32 for nearness, and the warp then takes the near ones in order, all
// lanes together. Barriers of the warp keep a tube's weights until all lanes have used them.
template <typename S, typename T>
__device__ void gather_patch(const TubeRoiAlign<S, T>& op, int64_t number, const Patch& patch,
                             const PatchMemory<T>& memory) {
  const FeatureLevel<S>& level = op.levels[number];
  const T scale = static_cast<T>(level.spatial_scale);
  const auto axis = [&](const T* box, int from, int64_t bins) {
    return roi_axis(box[from], box[from + 2], scale, bins, op.sampling_ratio, op.aligned);
  };
  const int lane = lane_number();
  for (int i = lane; i < kPixels * kPitch; i += kWarp) memory.sums[i] = T(0);
  for (int64_t first = 0; first < op.m; first += kWarp) {
    const int64_t own = first + lane;
    bool near = own < op.m && op.batch_index[own] == patch.batch && (op.level ? op.level[own] : 0) == number;
    if (near) {
      const T* box = op.tubes + (own * op.frames + patch.t) * 4;
      near = may_touch(axis(box, 1, op.rows), op.rows, patch.top, kHeight) &&
             may_touch(axis(box, 0, op.columns), op.columns, patch.left, kWidth);
    }
    for (unsigned found = __ballot_sync(kWholeWarp, near); found != 0; found &= found - 1) {
      const int64_t tube = first + __ffs(found) - 1;
      const T* box = op.tubes + (tube * op.frames + patch.t) * 4;
      __syncwarp();
      patch_weights<kHeight>(axis(box, 1, op.rows), op.rows, level.height, patch.top, memory.y_weights);
      patch_weights<kWidth>(axis(box, 0, op.columns), op.columns, level.width, patch.left, memory.x_weights);
      __syncwarp();
      gather_tube(op, patch, tube, memory);
    }
  }
  __syncwarp();
  write_patch(op, level, patch, memory.sums);
  __syncwarp();
}

template <typename S, typename T>
__global__ void gather_kernel(TubeRoiAlign<S, T> op, int64_t number, int64_t patches) {
  PTFAST_DYNAMIC_SHARED(T, shared);
  const int warp = static_cast<int>(threadIdx.x) / kWarp, warps = static_cast<int>(blockDim.x) / kWarp;
  T* own = shared + warp * patch_numbers<T>(op.rows, op.columns);
  const PatchMemory<T> memory{own, own + kPixels * kPitch, own + kPixels * kPitch + op.rows * kHeight};
  const int64_t stride = static_cast<int64_t>(gridDim.x) * warps;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * warps + warp; i < patches; i += stride)
    gather_patch(op, number, patch_of(op, op.levels[number], i), memory);
}

template <typename S, typename T>
int64_t patch_count(const TubeRoiAlign<S, T>& op, const FeatureLevel<S>& level) {
  const int64_t across = (level.width + kWidth - 1) / kWidth, down = (level.height + kHeight - 1) / kHeight;
  return op.batch * op.frames * ((op.channels + kWarp - 1) / kWarp) * down * across;
}

}  // namespace

template <typename S, typename T>
int tube_roi_align_backward_cuda(const TubeRoiAlign<S, T>& op, int device, void* stream) {
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  const size_t bytes = patch_numbers<T>(op.rows, op.columns) * sizeof(T);
  const int warps = static_cast<int>(std::clamp<size_t>(kBlockMemory / bytes, 1, kMaxWarps));
  const auto kernel = gather_kernel<S, T>;
  cudaError_t status = cudaSuccess;
  if (bytes > kBlockMemory) status = allow_shared(kernel, bytes);
  for (int64_t number = 0; number < op.level_count && status == cudaSuccess; ++number) {
    const int64_t patches = patch_count(op, op.levels[number]);
    if (patches == 0) continue;
    status = launch(kernel, grid_size(patches, warps), warps * kWarp, warps * bytes, stream, op, number, patches);
  }
  return status;
}

template int tube_roi_align_backward_cuda(const TubeRoiAlign<float, float>&, int, void*);
template int tube_roi_align_backward_cuda(const TubeRoiAlign<double, double>&, int, void*);
template int tube_roi_align_backward_cuda(const TubeRoiAlign<Half, float>&, int, void*);
template int tube_roi_align_backward_cuda(const TubeRoiAlign<BFloat16, float>&, int, void*);

}  // namespace ptfast
