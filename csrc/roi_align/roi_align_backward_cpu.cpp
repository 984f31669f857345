#include <algorithm>
#include <type_traits>
#include <vector>

#include "common/half.h"
#include "common/memory.h"
#include "common/parallel.h"
#include "roi_align/groups.h"
#include "roi_align/resample.h"

namespace ptfast {
namespace {

// Some channels of one frame's gradient. One thread owns them, so tubes add up in a fixed order without atomics.
struct Part {
  int64_t group, t, first, channels;
};

template <typename T>
struct Scratch {
  RoiTaps<T> taps, transposed;
  AlignedBuffer<T> rows;
  AlignedBuffer<T> tile;   // [rows * columns, channels]
  AlignedBuffer<T> plane;  // [height, width, channels]
};

// The gradient of a tube's bins in the type of the arithmetic, where it stands or copied.
template <typename S, typename T>
Plane<const T> incoming(const TubeRoiAlign<S, T>& op, const Part& part, int64_t tube, AlignedBuffer<T>& buffer) {
  const VideoStrides& s = op.bin_strides;
  if constexpr (std::is_same_v<S, T>)
    if (s.c == 1) return {op.bins + tube * s.b + part.t * s.t + part.first, s.y, s.x};
  T* tile = buffer.reserve(op.rows * op.columns * part.channels);
  for_bins(op, tube, part.t, part.first, part.channels, [&](const Matrix<S>& from, int64_t offset) {
    copy_matrix(Matrix<const S>{from.data, from.n, from.m, from.row, from.column},
                Matrix<T>{tile + offset * part.channels, from.n, from.m, part.channels, 1});
  });
  return {tile, op.columns * part.channels, part.channels};
}

template <typename T>
void clear(const Plane<T>& plane, int64_t height, int64_t width, int64_t channels) {
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      T* pixel = plane.data + y * plane.row + x * plane.pixel;
      std::fill(pixel, pixel + channels, T(0));
    }
}

// Sums all tubes of a part's group into its plane. The gradient of out = Wy F Wx^T is Wy^T G Wx: the same resampling
// with transposed taps.
template <typename S, typename T>
void accumulate(const TubeRoiAlign<S, T>& op, const Groups& groups, const Part& part, const Plane<T>& plane,
                Scratch<T>& scratch) {
  const FeatureLevel<S>& level = op.levels[part.group / op.batch];
  clear(plane, level.height, level.width, part.channels);
  for (int64_t i = groups.first[part.group]; i < groups.first[part.group + 1]; ++i) {
    find_tube_taps(op, level, groups.order[i], part.t, scratch.taps);
    transpose_taps(scratch.taps, scratch.transposed);
    resample(incoming(op, part, groups.order[i], scratch.tile), scratch.transposed, part.channels, plane, Store::kAdd,
             scratch.rows);
  }
}

// Accumulates in place where the gradient has channels innermost and the type of the arithmetic, else in a plane of the
// thread, which is then rounded once.
template <typename S, typename T>
void spread_part(const TubeRoiAlign<S, T>& op, const Groups& groups, const Part& part, Scratch<T>& scratch) {
  const Frame<S> frame = frame_of(op, part.group, part.t);
  const VideoStrides& s = frame.level.strides;
  S* data = frame.data + part.first * s.c;
  if constexpr (std::is_same_v<S, T>)
    if (s.c == 1) return accumulate(op, groups, part, Plane<T>{data, s.y, s.x}, scratch);
  const int64_t pitch = frame.level.width * part.channels;
  T* plane = scratch.plane.reserve(frame.level.height * pitch);
  accumulate(op, groups, part, Plane<T>{plane, pitch, part.channels}, scratch);
  for (int64_t y = 0; y < frame.level.height; ++y)
    copy_matrix(Matrix<const T>{plane + y * pitch, frame.level.width, part.channels, part.channels, 1},
                Matrix<S>{data + y * s.y, frame.level.width, part.channels, s.x, s.c});
}

}  // namespace

template <typename S, typename T>
void tube_roi_align_backward_cpu(const TubeRoiAlign<S, T>& op) {
  constexpr int64_t kMinChannels = 16;  // that are worth a part
  const Groups groups = group_tubes(op);
  const int64_t frames = groups.count() * op.frames;
  if (frames == 0 || op.channels == 0) return;
  const int64_t wanted = (4 * num_threads() + frames - 1) / frames,
                limit = std::max<int64_t>(1, op.channels / kMinChannels);
  const int64_t pieces = std::clamp<int64_t>(wanted, 1, limit), size = (op.channels + pieces - 1) / pieces;
  parallel_for(frames * pieces, 1, [&](int64_t begin, int64_t end) {
    Scratch<T> scratch;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % pieces * size, frame = i / pieces;
      const Part part{frame / op.frames, frame % op.frames, first, std::min(size, op.channels - first)};
      if (part.channels > 0) spread_part(op, groups, part, scratch);
    }
  });
}

template void tube_roi_align_backward_cpu(const TubeRoiAlign<float, float>&);
template void tube_roi_align_backward_cpu(const TubeRoiAlign<double, double>&);
template void tube_roi_align_backward_cpu(const TubeRoiAlign<Half, float>&);
template void tube_roi_align_backward_cpu(const TubeRoiAlign<BFloat16, float>&);

}  // namespace ptfast
