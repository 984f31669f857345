#include <algorithm>
#include <cmath>
#include <type_traits>
#include <vector>

#include "common/half.h"
#include "common/memory.h"
#include "common/parallel.h"
#include "roi_align/groups.h"
#include "roi_align/resample.h"

namespace ptfast {
namespace {

constexpr int64_t kStreamingBytes = 8 << 20;  // larger results go past the caches, which they would empty
constexpr int64_t kTypicalWork = 1 << 18;     // results that take about 200 us

using Rows = std::pair<int64_t, int64_t>;  // [first, last)

// Memory of one thread, kept from RoI to RoI.
template <typename T>
struct Scratch {
  RoiTaps<T> taps;
  AlignedBuffer<T> rows;
  AlignedBuffer<T> tile;  // [rows * columns, channels]
};

// Pools one RoI. frame has channels innermost and the type of the arithmetic. Bins of that kind are written in place,
// others by way of a tile, which one copy then turns and rounds.
template <typename S, typename T>
void pool_roi(const TubeRoiAlign<S, T>& op, const FeatureLevel<S>& level, const Plane<const T>& frame, int64_t tube,
              int64_t t, Scratch<T>& scratch) {
  find_tube_taps(op, level, tube, t, scratch.taps);
  if constexpr (std::is_same_v<S, T>) {
    if (op.bin_strides.c == 1) {
      const Plane<T> bins{op.bins + tube * op.bin_strides.b + t * op.bin_strides.t, op.bin_strides.y, op.bin_strides.x};
      const int64_t bytes = op.m * op.frames * op.rows * op.columns * op.channels * int64_t{sizeof(T)};
      const Store store = bytes > kStreamingBytes ? Store::kStreaming : Store::kPlain;
      return resample(frame, scratch.taps, op.channels, bins, store, scratch.rows);
    }
  }
  const int64_t pitch = op.columns * op.channels;
  T* tile = scratch.tile.reserve(op.rows * pitch);
  resample(frame, scratch.taps, op.channels, Plane<T>{tile, pitch, op.channels}, Store::kPlain, scratch.rows);
  for_bins(op, tube, t, 0, op.channels, [&](const Matrix<S>& to, int64_t offset) {
    copy_matrix(Matrix<const T>{tile + offset * op.channels, to.n, to.m, op.channels, 1}, to);
  });
}

template <typename S, typename T>
int64_t grain_of(const TubeRoiAlign<S, T>& op) {
  return std::max<int64_t>(1, kTypicalWork / std::max<int64_t>(1, op.rows * op.columns * op.channels));
}

// Pools from features as they are. Items run frame by frame within a group, so that a frame's features stay in the
// caches for all its tubes.
template <typename T>
void pool_direct(const TubeRoiAlign<T, T>& op, const Groups& groups) {
  parallel_for(op.m * op.frames, grain_of(op), [&](int64_t begin, int64_t end) {
    Scratch<T> scratch;
    int64_t group = 0;
    for (int64_t i = begin; i < end; ++i) {
      while (groups.first[group + 1] * op.frames <= i) ++group;
      const int64_t place = i - groups.first[group] * op.frames, size = groups.size(group), t = place / size;
      const Frame<T> frame = frame_of(op, group, t);
      const Plane<const T> plane{frame.data, frame.level.strides.y, frame.level.strides.x};
      pool_roi(op, frame.level, plane, groups.order[groups.first[group] + place % size], t, scratch);
    }
  });
}

// The rows of frame t that tubes of a group can touch.
template <typename S, typename T>
Rows touched_rows(const TubeRoiAlign<S, T>& op, const Groups& groups, int64_t group, int64_t t) {
  const FeatureLevel<S>& level = op.levels[group / op.batch];
  const double height = static_cast<double>(level.height);
  double low = height, high = 0;
  for (int64_t i = groups.first[group]; i < groups.first[group + 1]; ++i) {
    const T* box = op.tubes + (groups.order[i] * op.frames + t) * 4;
    const double a = static_cast<double>(box[1]) * level.spatial_scale;
    const double b = static_cast<double>(box[3]) * level.spatial_scale;
    if (!std::isfinite(a) || !std::isfinite(b)) continue;
    low = std::min(low, std::min(a, b) - 3);
    high = std::max(high, std::max(a, b) + 4);
  }
  return {static_cast<int64_t>(std::clamp(low, 0., height)), static_cast<int64_t>(std::clamp(high, 0., height))};
}

// Puts channels innermost, in the type of the arithmetic. plane: [height, width, channels]
template <typename S, typename T>
void stage(const Frame<S>& frame, const Rows& rows, int64_t channels, T* plane) {
  const VideoStrides& s = frame.level.strides;
  const int64_t width = frame.level.width, pitch = width * channels;
  const int64_t grain = std::max<int64_t>(1, kTypicalWork / 2 / std::max<int64_t>(1, pitch));
  parallel_for(rows.second - rows.first, grain, [&](int64_t begin, int64_t end) {
    for (int64_t y = rows.first + begin; y < rows.first + end; ++y)
      copy_matrix(Matrix<const S>{frame.data + y * s.y, channels, width, s.c, s.x},
                  Matrix<T>{plane + y * pitch, channels, width, 1, channels});
  });
}

// Pools from features in another layout or type. One frame at a time is brought into order, which costs a frame of
// memory and no copy of the whole.
template <typename S, typename T>
void pool_staged(const TubeRoiAlign<S, T>& op, const Groups& groups) {
  AlignedBuffer<T> buffer;
  for (int64_t group = 0; group < groups.count(); ++group) {
    for (int64_t t = 0; t < op.frames && groups.size(group) > 0; ++t) {
      const Frame<S> frame = frame_of(op, group, t);
      T* plane = buffer.reserve(frame.level.height * frame.level.width * op.channels);
      stage(frame, touched_rows(op, groups, group, t), op.channels, plane);
      const Plane<const T> staged{plane, frame.level.width * op.channels, op.channels};
      parallel_for(groups.size(group), grain_of(op), [&](int64_t begin, int64_t end) {
        Scratch<T> scratch;
        for (int64_t i = groups.first[group] + begin; i < groups.first[group] + end; ++i)
          pool_roi(op, frame.level, staged, groups.order[i], t, scratch);
      });
    }
  }
}

}  // namespace

template <typename S, typename T>
void tube_roi_align_cpu(const TubeRoiAlign<S, T>& op) {
  advise_large_pages(op.bins, op.m * op.frames * op.rows * op.columns * op.channels * sizeof(S));
  const Groups groups = group_tubes(op);
  if constexpr (std::is_same_v<S, T>) {
    const auto channels_innermost = [](const FeatureLevel<S>& level) { return level.strides.c == 1; };
    if (std::all_of(op.levels, op.levels + op.level_count, channels_innermost)) return pool_direct(op, groups);
  }
  pool_staged(op, groups);
}

template void tube_roi_align_cpu(const TubeRoiAlign<float, float>&);
template void tube_roi_align_cpu(const TubeRoiAlign<double, double>&);
template void tube_roi_align_cpu(const TubeRoiAlign<Half, float>&);
template void tube_roi_align_cpu(const TubeRoiAlign<BFloat16, float>&);

}  // namespace ptfast
