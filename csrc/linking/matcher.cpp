#include "linking/matcher.h"

#include <algorithm>

#include "boxes/boxes.h"
#include "oks/oks.h"
#include "pckh/pckh.h"

namespace ptfast {

// A whole frame at rest is read where it stands; else its rows are copied one after the other and moved, so that the
// kernels of ptfast.ops compare them as they compare any two arrays.
FrameView PairMatcher::Side::gather(const PoseSubset& subset, int64_t joints) {
  const FrameView& frame = *subset.frame;
  const auto& rows = *subset.rows;
  const auto count = static_cast<int64_t>(rows.size());
  if (subset.shift == nullptr && count == frame.count) return frame;
  keypoints.resize(count * joints * 2);
  visible.resize(count * joints);
  boxes.resize(count * 4);
  areas.resize(count);
  head_sizes.resize(count);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows[i];
    const float dx = subset.shift == nullptr ? 0.f : subset.shift[2 * i];
    const float dy = subset.shift == nullptr ? 0.f : subset.shift[2 * i + 1];
    for (int64_t k = 0; k < joints; ++k) {
      keypoints[(i * joints + k) * 2] = frame.keypoints[(row * joints + k) * 2] + dx;
      keypoints[(i * joints + k) * 2 + 1] = frame.keypoints[(row * joints + k) * 2 + 1] + dy;
    }
    std::copy_n(frame.visible + row * joints, joints, visible.begin() + i * joints);
    for (int64_t c = 0; c < 4; ++c) boxes[4 * i + c] = frame.boxes[4 * row + c] + (c % 2 == 0 ? dx : dy);
    areas[i] = frame.areas[row];
    head_sizes[i] = frame.head_sizes[row];
  }
  return {frame.frame, count, keypoints.data(), visible.data(), boxes.data(), areas.data(), head_sizes.data()};
}

void PairMatcher::costs(const PoseSubset& earlier, const PoseSubset& current) {
  if (options_.cost == LinkCost::kCallable) return callable_(earlier, current, cost_.data());
  const FrameView a = earlier_.gather(earlier, options_.joints), b = current_.gather(current, options_.joints);
  switch (options_.cost) {
    case LinkCost::kIou:
      iou_matrix_cpu(a.boxes, b.boxes, {1, a.count, b.count}, cost_.data());
      break;
    case LinkCost::kOks:
      oks_matrix_cpu<float>({a.keypoints,
                             b.keypoints,
                             nullptr,
                             b.areas,
                             options_.sigmas.data(),
                             a.visible,
                             b.visible,
                             {1, a.count, b.count, options_.joints}},
                            cost_.data());
      break;
    default:
      pckh_matrix_cpu<float>({a.keypoints,
                              b.keypoints,
                              b.head_sizes,
                              a.visible,
                              b.visible,
                              {1, a.count, b.count, options_.joints},
                              kPckhThreshold},
                             cost_.data());
  }
  for (float& cost : cost_) cost = 1.f - cost;
}

const std::vector<int64_t>& PairMatcher::match(const PoseSubset& earlier, const PoseSubset& current, float max_cost) {
  const auto n = static_cast<int64_t>(current.rows->size()), m = static_cast<int64_t>(earlier.rows->size());
  cost_.resize(n * m);
  match_.assign(n, -1);
  if (n == 0 || m == 0) return match_;
  costs(earlier, current);
  pairs_ += n * m;
  // Rows of the cost are earlier poses; the assignment gives each its current pose.
  columns_.resize(m);
  const auto solve = options_.greedy ? greedy<float> : hungarian<float>;
  solve(cost_.data(), m, n, max_cost, columns_.data(), workspace_);
  for (int64_t i = 0; i < m; ++i)
    if (columns_[i] >= 0) match_[columns_[i]] = i;
  return match_;
}

}  // namespace ptfast
