#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "roi_align/layout.h"
#include "roi_align/roi_align.h"
#include "roi_align/taps.h"

namespace ptfast {

// Tubes by the features that they lie in: those of group level * batch + batch_index are order[first[group]] to
// order[first[group + 1]].
struct Groups {
  std::vector<int64_t> order, first;  // [m], [levels * batch + 1]

  int64_t count() const { return static_cast<int64_t>(first.size()) - 1; }
  int64_t size(int64_t group) const { return first[group + 1] - first[group]; }
};

// Neighbours on this path through a grid of 16 x 16 cells are mostly neighbours in the image (Morton 1966).
// x, y: 0 to 1
inline int64_t place_on_path(double x, double y) {
  const auto cell = [](double share) { return share > 0 ? static_cast<int64_t>(std::min(share * 16, 15.)) : 0; };
  int64_t place = 0;
  for (int bit = 0; bit < 4; ++bit) place |= (cell(x) >> bit & 1) << (2 * bit) | (cell(y) >> bit & 1) << (2 * bit + 1);
  return place;
}

// Tubes that overlap come one after the other, so that the features they share are still in the caches.
template <typename S, typename T>
void order_by_place(const TubeRoiAlign<S, T>& op, Groups& groups) {
  std::vector<std::pair<int64_t, int64_t>> path;
  for (int64_t group = 0; group < groups.count(); ++group) {
    const FeatureLevel<S>& level = op.levels[group / op.batch];
    const double across = level.spatial_scale / (2. * static_cast<double>(level.width));
    const double down = level.spatial_scale / (2. * static_cast<double>(level.height));
    path.clear();
    for (int64_t i = groups.first[group]; i < groups.first[group + 1]; ++i) {
      const T* box = op.tubes + groups.order[i] * op.frames * 4;
      path.emplace_back(place_on_path((box[0] + box[2]) * across, (box[1] + box[3]) * down), groups.order[i]);
    }
    std::sort(path.begin(), path.end());
    for (size_t i = 0; i < path.size(); ++i) groups.order[groups.first[group] + i] = path[i].second;
  }
}

// Groups by a counting sort, which keeps the order of a group's tubes.
template <typename S, typename T>
Groups group_tubes(const TubeRoiAlign<S, T>& op) {
  const auto group_of = [&op](int64_t i) { return (op.level ? op.level[i] : 0) * op.batch + op.batch_index[i]; };
  Groups groups;
  groups.first.assign(op.level_count * op.batch + 1, 0);
  for (int64_t i = 0; i < op.m; ++i) ++groups.first[group_of(i) + 1];
  for (size_t g = 1; g < groups.first.size(); ++g) groups.first[g] += groups.first[g - 1];
  std::vector<int64_t> next(groups.first.begin(), groups.first.end() - 1);
  groups.order.resize(op.m);
  for (int64_t i = 0; i < op.m; ++i) groups.order[next[group_of(i)]++] = i;
  if (op.frames > 0) order_by_place(op, groups);
  return groups;
}

// One frame of a group's feature map.
template <typename S>
struct Frame {
  const FeatureLevel<S>& level;
  S* data;  // [c, height, width] by the level's strides
};

template <typename S, typename T>
Frame<S> frame_of(const TubeRoiAlign<S, T>& op, int64_t group, int64_t t) {
  const FeatureLevel<S>& level = op.levels[group / op.batch];
  return {level, level.data + group % op.batch * level.strides.b + t * level.strides.t};
}

// The taps of a tube in frame t.
template <typename S, typename T>
void find_tube_taps(const TubeRoiAlign<S, T>& op, const FeatureLevel<S>& level, int64_t tube, int64_t t,
                    RoiTaps<T>& taps) {
  const RoiGrid grid{level.height,      level.width,         op.rows,   op.columns,
                     op.sampling_ratio, level.spatial_scale, op.aligned};
  find_taps(op.tubes + (tube * op.frames + t) * 4, grid, taps);
}

// True where one stride leads from bin to bin through all rows.
template <typename S, typename T>
bool linear_bins(const TubeRoiAlign<S, T>& op) {
  return op.bin_strides.y == op.columns * op.bin_strides.x;
}

// Calls body(bins, offset) for a tube's bins in frame t, all in one piece or row by row. bins is [bins, channels] from
// bin `offset` and channel `first` on.
template <typename S, typename T, typename F>
void for_bins(const TubeRoiAlign<S, T>& op, int64_t tube, int64_t t, int64_t first, int64_t channels, const F& body) {
  const VideoStrides& s = op.bin_strides;
  const int64_t step = linear_bins(op) ? op.rows : 1;
  for (int64_t row = 0; row < op.rows; row += step) {
    S* data = op.bins + tube * s.b + t * s.t + row * s.y + first * s.c;
    body(Matrix<S>{data, step * op.columns, channels, s.x, s.c}, row * op.columns);
  }
}

}  // namespace ptfast
