#include <algorithm>

#include "common/cuda.h"
#include "common/warp.h"
#include "heatmap/heatmap.h"
#include "heatmap/heatmap_math.h"
#include "heatmap/maps_cuda.h"
#include "heatmap/taylor_cuda.h"

namespace ptfast {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / kWarp;
constexpr int64_t kFewMaps = 2048;  // fewer leave a large device idle unless a whole block takes one map

// The best of the warp's lanes, in every lane.
template <typename Real>
__device__ void reduce_warp(Peak<Real>& best) {
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const Real value = __shfl_xor_sync(kWholeWarp, best.value, step);
    best.add_any(value, __shfl_xor_sync(kWholeWarp, best.place, step));
  }
}

// The best of the block's warps, in every thread. The second barrier keeps the next map's values out of the arrays
// until all threads have read them.
template <typename Real>
__device__ void reduce_block(Peak<Real>& best) {
  __shared__ Real values[kWarps];
  __shared__ int64_t places[kWarps];
  if (threadIdx.x % kWarp == 0) {
    values[threadIdx.x / kWarp] = best.value;
    places[threadIdx.x / kWarp] = best.place;
  }
  __syncthreads();
  for (int i = 0; i < kWarps; ++i) best.add_any(values[i], places[i]);
  __syncthreads();
}

// The highest value's place, from the place where its load began. A scan keeps one place a load, not one a pixel, which
// spares it instructions. Where nothing is above -infinity, the first place that is no NaN, or 0. All lanes of the warp
// take part.
template <typename Map>
__device__ int64_t exact_place(const Map& map, Peak<typename Map::Real> best) {
  const int64_t pixels = map.height * map.width;
  if (best.place < pixels) {
    while (widen(map.at(best.place % map.width, best.place / map.width)) != best.value) ++best.place;
    return best.place;
  }
  for (int64_t i = threadIdx.x % kWarp; i < pixels && best.place == pixels; i += kWarp)
    if (widen(map.at(i % map.width, i / map.width)) == best.value) best.place = i;
  reduce_warp(best);
  return best.place < pixels ? best.place : 0;
}

// Refines and writes a map's peak, by one warp. scratch: [kTaylorScratch] of the warp, where kTaylor
template <bool kTaylor, typename Map>
__device__ void finish(const Map& map, const Peak<typename Map::Real>& best, bool quarter, const Gaussian& blur,
                       double* scratch, typename Map::Real* coordinates, typename Map::Real* score) {
  using Real = typename Map::Real;
  const int64_t place = exact_place(map, best), x = place % map.width, y = place / map.width;
  const Real value = widen(map.at(x, y));
  Real column = Real(x), row = Real(y);
  if (quarter && value > Real(0) && inside_for_quarter(x, map.width) && inside_for_quarter(y, map.height)) {
    column += quarter_offset(widen(map.at(x - 1, y)), widen(map.at(x + 1, y)));
    row += quarter_offset(widen(map.at(x, y - 1)), widen(map.at(x, y + 1)));
  }
  if (kTaylor && value > Real(0) && inside_for_taylor(x, map.width) && inside_for_taylor(y, map.height)) {
    const Offset offset = taylor_of_map(map, x, y, double(value), blur, scratch);
    column = Real(double(x) + offset.x);
    row = Real(double(y) + offset.y);
  }
  if (threadIdx.x % kWarp != 0) return;
  coordinates[0] = column;
  coordinates[1] = row;
  *score = value;
}

// A map is read once, by a warp or by the whole block: reading decides the time, and the refinement's few pixels are
// still in the caches when the first warp comes back to them.
template <bool kTaylor, typename Maps>
__global__ void __launch_bounds__(kThreads, kTaylor ? 6 : 8)
    peaks_kernel(Maps maps, int64_t count, int warps_a_map, bool quarter, Gaussian blur,
                 typename Maps::Real* __restrict__ coordinates,  // [count, 2]
                 typename Maps::Real* __restrict__ scores) {     // [count]
  __shared__ double scratch[kTaylor ? kWarps : 1][kTaylor ? kTaylorScratch : 1];
  const int lanes = warps_a_map * kWarp, lane = threadIdx.x % lanes, together = kThreads / lanes;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * together;
  for (int64_t m = blockIdx.x * static_cast<int64_t>(together) + threadIdx.x / lanes; m < count; m += stride) {
    const auto map = maps.map(m);
    Peak<typename Maps::Real> best = {kLowest<typename Maps::Real>, map.height * map.width};
    map.scan(lane, lanes, best);
    reduce_warp(best);
    if (warps_a_map > 1) reduce_block(best);
    if (lane < kWarp)
      finish<kTaylor>(map, best, quarter, blur, scratch[kTaylor ? threadIdx.x / kWarp : 0], coordinates + 2 * m,
                      scores + m);
  }
}

// Lanes take neighbouring pixels, so that maps and averages are read and written in whole lines.
template <typename T>
__global__ void __launch_bounds__(kThreads) average_kernel(AveragedMaps<T> maps, int64_t count, int warps_a_map,
                                                           T* __restrict__ out) {  // [count, height, width]
  const int lanes = warps_a_map * kWarp, lane = threadIdx.x % lanes, together = kThreads / lanes;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * together;
  for (int64_t m = blockIdx.x * static_cast<int64_t>(together) + threadIdx.x / lanes; m < count; m += stride) {
    const AveragedMap<T> map = maps.map(m);
    T* result = out + m * map.height * map.width;
    map.each(lane, lanes, [result](T value, int64_t i) { result[i] = value; });
  }
}

// Warps that read a map together, and blocks for all maps.
int warps_a_map(int64_t maps) { return maps < kFewMaps ? kWarps : 1; }
unsigned blocks(int64_t maps) { return grid_size(maps, kWarps / warps_a_map(maps)); }

template <typename Maps>
cudaError_t decode(const Maps& maps, int64_t count, Refinement refine, int blur_kernel,
                   typename Maps::Real* coordinates, typename Maps::Real* scores, void* stream) {
  const auto kernel = refine == Refinement::kTaylor ? peaks_kernel<true, Maps> : peaks_kernel<false, Maps>;
  return launch(kernel, blocks(count), kThreads, 0, stream, maps, count, warps_a_map(count),
                refine == Refinement::kQuarter, Gaussian(blur_kernel), coordinates, scores);
}

}  // namespace

template <typename T>
int heatmap_peaks_cuda(const HeatmapInputs<T>& in, Refinement refine, int blur_kernel, PeakReal<T>* coordinates,
                       PeakReal<T>* scores, int device, void* stream) {
  if (in.maps == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  if (in.flipped == nullptr) return decode(PlainMaps<T>(in), in.maps, refine, blur_kernel, coordinates, scores, stream);
  if (in.joints > kMaxJoints) return cudaErrorInvalidValue;
  return decode(AveragedMaps<T>(in), in.maps, refine, blur_kernel, coordinates, scores, stream);
}

template <typename T>
int flip_average_cuda(const HeatmapInputs<T>& in, T* out, int device, void* stream) {
  if (in.maps == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  if (in.joints > kMaxJoints) return cudaErrorInvalidValue;
  return launch(average_kernel<T>, blocks(in.maps), kThreads, 0, stream, AveragedMaps<T>(in), in.maps,
                warps_a_map(in.maps), out);
}

#define PTFAST_HEATMAP_CUDA(T)                                                                                       \
  template int heatmap_peaks_cuda(const HeatmapInputs<T>&, Refinement, int, PeakReal<T>*, PeakReal<T>*, int, void*); \
  template int flip_average_cuda(const HeatmapInputs<T>&, T*, int, void*);
PTFAST_HEATMAP_CUDA(float)
PTFAST_HEATMAP_CUDA(double)
PTFAST_HEATMAP_CUDA(Half)
PTFAST_HEATMAP_CUDA(BFloat16)

}  // namespace ptfast
