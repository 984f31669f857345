#include <algorithm>

#include "common/half.h"
#include "roi_align/taps_cuda.h"

namespace ptfast {
namespace {

constexpr int kThreads = 256;
constexpr int kSlab = 32;           // channels that change places with bins in shared memory at a time
constexpr int64_t kMaxBins = 1024;  // of a tile that is turned there

// kPack numbers that are read and written as one.
template <typename S, int kPack>
struct alignas(sizeof(S) * kPack) Pack {
  S values[kPack];
};

// Division of a RoI's result among the threads of a block.
enum class Order {
  kChannelsFirst,  // neighbours have neighbouring channels: both sides have channels innermost
  kBinsFirst,      // neighbours have neighbouring bins: neither has
  kTurned,         // reads as the first and writes as the second, through shared memory
};

// One RoI: its features, its bins, and its taps in shared memory.
template <typename S, typename T>
struct Roi {
  const S* features;  // [c, height, width] by strides
  S* out;             // [c, rows, columns] by out strides
  VideoStrides strides;
  SharedTaps<T> y, x;
};

// One bin of kPack channels. A row's taps are summed before the row's weight multiplies their sum, once.
template <typename S, typename T, int kPack>
__device__ void pool_bin(const Roi<S, T>& roi, int64_t channel, int p, int q, T (&sums)[kPack]) {
  const S* base = roi.features + channel * roi.strides.c;
  for (int v = 0; v < kPack; ++v) sums[v] = T(0);
  for (int i = 0; i < roi.y.count[p]; ++i) {
    const Tap<T> y = roi.y.taps[roi.y.first[p] + i];
    const S* row = base + y.index * roi.strides.y;
    T line[kPack] = {};
    for (int j = 0; j < roi.x.count[q]; ++j) {
      const Tap<T> x = roi.x.taps[roi.x.first[q] + j];
      const auto pack = *reinterpret_cast<const Pack<S, kPack>*>(row + x.index * roi.strides.x);
      for (int v = 0; v < kPack; ++v) line[v] = fma(x.weight, widen(pack.values[v]), line[v]);
    }
    for (int v = 0; v < kPack; ++v) sums[v] = fma(y.weight, line[v], sums[v]);
  }
}

// Results are written once and read by another kernel: they need not stay in the first-level cache.
template <typename S, int kPack>
__device__ void store(const Pack<S, kPack>& pack, S* to) {
  if constexpr (sizeof(pack) == 16)
    __stcs(reinterpret_cast<uint4*>(to), *reinterpret_cast<const uint4*>(&pack));
  else
    *reinterpret_cast<Pack<S, kPack>*>(to) = pack;
}

template <typename S, typename T, int kPack, Order kOrder>
__device__ void pool_all(const Roi<S, T>& roi, const VideoStrides& out, int64_t channels, int rows, int columns) {
  const int bins = rows * columns;
  const int64_t packs = channels / kPack;
  for (int64_t i = threadIdx.x; i < packs * bins; i += blockDim.x) {
    const int64_t channel = (kOrder == Order::kChannelsFirst ? i % packs : i / bins) * kPack;
    const int bin = static_cast<int>(kOrder == Order::kChannelsFirst ? i / packs : i % bins);
    const int p = bin / columns, q = bin % columns;
    T sums[kPack];
    pool_bin<S, T, kPack>(roi, channel, p, q, sums);
    Pack<S, kPack> pack;
    for (int v = 0; v < kPack; ++v) narrow(sums[v], pack.values + v);
    store(pack, roi.out + channel * out.c + p * out.y + q * out.x);
  }
}

// Pools with channels across the lanes, as features are read fastest, into shared memory, and writes from there with
// bins across the lanes. Barriers separate the two, as each thread reads bins that others pooled.
// tile: [kSlab, bins + 1], whose odd pitch spares bank conflicts
template <typename S, typename T, int kPack>
__device__ void pool_turned(const Roi<S, T>& roi, const VideoStrides& out, int64_t channels, int rows, int columns,
                            T* tile) {
  const int bins = rows * columns, pitch = bins + 1, packs = kSlab / kPack;
  for (int64_t slab = 0; slab < channels; slab += kSlab) {
    for (int i = threadIdx.x; i < packs * bins; i += blockDim.x) {
      const int channel = i % packs * kPack, bin = i / packs;
      if (slab + channel >= channels) continue;
      T sums[kPack];
      pool_bin<S, T, kPack>(roi, slab + channel, bin / columns, bin % columns, sums);
      for (int v = 0; v < kPack; ++v) tile[(channel + v) * pitch + bin] = sums[v];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < kSlab * bins; i += blockDim.x) {
      const int channel = i / bins, bin = i % bins;
      if (slab + channel >= channels) continue;
      narrow(tile[channel * pitch + bin],
             roi.out + (slab + channel) * out.c + bin / columns * out.y + bin % columns * out.x);
    }
    __syncthreads();
  }
}

// A block takes one RoI at a time, frame by frame, so that a frame's features stay in the second-level cache. Threads
// from 0 and from kThreads / 2 on build the taps of the two axes side by side. The first barrier lets all read them,
// the second keeps them until all have.
template <typename S, typename T, int kPack, Order kOrder>
__global__ void __launch_bounds__(kThreads, 2) pool_kernel(TubeRoiAlign<S, T> op, int max_y, int max_x) {
  PTFAST_DYNAMIC_SHARED(unsigned char, shared);
  unsigned char* memory = shared;
  Roi<S, T> roi;
  roi.y = place_taps<T>(memory, op.rows, max_y);
  roi.x = place_taps<T>(memory, op.columns, max_x);
  for (int64_t i = blockIdx.x; i < op.m * op.frames; i += gridDim.x) {
    const int64_t t = i / op.m, tube = i % op.m, batch = op.batch_index[tube], level = op.level ? op.level[tube] : 0;
    const bool known = batch >= 0 && batch < op.batch && level >= 0 && level < op.level_count;
    const FeatureLevel<S>& map = op.levels[known ? level : 0];
    const T* box = op.tubes + (tube * op.frames + t) * 4;
    const T scale = static_cast<T>(map.spatial_scale);
    auto y = roi_axis(box[1], box[3], scale, op.rows, op.sampling_ratio, op.aligned);
    auto x = roi_axis(box[0], box[2], scale, op.columns, op.sampling_ratio, op.aligned);
    if (!known) y.samples = x.samples = 0;
    build_taps(y, op.rows, map.height, op.sampling_ratio, 0, roi.y);
    build_taps(x, op.columns, map.width, op.sampling_ratio, kThreads / 2, roi.x);
    __syncthreads();
    roi.strides = map.strides;
    roi.features = map.data + (known ? batch : 0) * map.strides.b + t * map.strides.t;
    roi.out = op.bins + tube * op.bin_strides.b + t * op.bin_strides.t;
    const int rows = static_cast<int>(op.rows), columns = static_cast<int>(op.columns);
    if constexpr (kOrder == Order::kTurned)
      pool_turned<S, T, kPack>(roi, op.bin_strides, op.channels, rows, columns, reinterpret_cast<T*>(memory));
    else
      pool_all<S, T, kPack, kOrder>(roi, op.bin_strides, op.channels, rows, columns);
    __syncthreads();
  }
}

// True where channels are innermost and every pixel's channels can be read kPack at a time.
template <typename S, int kPack>
bool packed(const S* data, const VideoStrides& s, int64_t channels) {
  const auto whole = [](int64_t stride) { return stride % kPack == 0; };
  return s.c == 1 && channels % kPack == 0 && reinterpret_cast<uintptr_t>(data) % (sizeof(S) * kPack) == 0 &&
         whole(s.b) && whole(s.t) && whole(s.y) && whole(s.x);
}

template <typename S, typename T, int kPack, Order kOrder>
int launch_pool(const TubeRoiAlign<S, T>& op, void* stream) {
  int64_t max_y = 0, max_x = 0;
  for (int64_t i = 0; i < op.level_count; ++i) {
    max_y = std::max(max_y, max_axis_taps(op.levels[i].height, op.rows, op.sampling_ratio));
    max_x = std::max(max_x, max_axis_taps(op.levels[i].width, op.columns, op.sampling_ratio));
  }
  size_t shared = shared_taps_bytes<T>(op.rows, max_y) + shared_taps_bytes<T>(op.columns, max_x);
  if (kOrder == Order::kTurned) shared += kSlab * (op.rows * op.columns + 1) * sizeof(T);
  const auto kernel = pool_kernel<S, T, kPack, kOrder>;
  if (shared > 48 << 10) {
    const cudaError_t status = allow_shared(kernel, shared);
    if (status != cudaSuccess) return status;
  }
  return launch(kernel, grid_size(op.m * op.frames, 1), kThreads, shared, stream, op, static_cast<int>(max_y),
                static_cast<int>(max_x));
}

}  // namespace

template <typename S, typename T>
int tube_roi_align_cuda(const TubeRoiAlign<S, T>& op, int device, void* stream) {
  constexpr int kPack = 16 / sizeof(S);
  if (op.m * op.frames * op.channels == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  const FeatureLevel<S>* end = op.levels + op.level_count;
  const bool reads_packs = std::all_of(op.levels, end, [&op](const FeatureLevel<S>& level) {
    return packed<S, kPack>(level.data, level.strides, op.channels);
  });
  const bool innermost = std::all_of(op.levels, end, [](const auto& level) { return level.strides.c == 1; });
  if (reads_packs && packed<S, kPack>(op.bins, op.bin_strides, op.channels))
    return launch_pool<S, T, kPack, Order::kChannelsFirst>(op, stream);
  if (reads_packs && op.bin_strides.c != 1 && op.rows * op.columns <= kMaxBins / int64_t{sizeof(T)})
    return launch_pool<S, T, kPack, Order::kTurned>(op, stream);
  if (innermost) return launch_pool<S, T, 1, Order::kChannelsFirst>(op, stream);
  return launch_pool<S, T, 1, Order::kBinsFirst>(op, stream);
}

template int tube_roi_align_cuda(const TubeRoiAlign<float, float>&, int, void*);
template int tube_roi_align_cuda(const TubeRoiAlign<double, double>&, int, void*);
template int tube_roi_align_cuda(const TubeRoiAlign<Half, float>&, int, void*);
template int tube_roi_align_cuda(const TubeRoiAlign<BFloat16, float>&, int, void*);

}  // namespace ptfast
