#include "linking/matcher.h"

#include <algorithm>

#include "boxes/boxes.h"
#include "oks/oks.h"
#include "pckh/pckh.h"

namespace ptfast {

PoseSize measure_pose(const FrameView& poses, int64_t row, int64_t joints) {
  const uint8_t* visible = poses.visible + row * joints;
  int32_t seen = 0;
  for (int64_t k = 0; k < joints; ++k) seen += visible[k] != 0;
  return {poses.areas[row], seen};
}

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

// area_a, area_b: as in OksInputs; out: [a's poses, b's poses]
void PairMatcher::oks(const FrameView& a, const FrameView& b, const float* area_a, const float* area_b,
                      float* out) const {
  oks_matrix_cpu<float>({a.keypoints,
                         b.keypoints,
                         area_a,
                         area_b,
                         options_.sigmas.data(),
                         a.visible,
                         b.visible,
                         {1, a.count, b.count, options_.joints}},
                        out);
}

void PairMatcher::costs(const PoseSubset& earlier, const PoseSubset& current) {
  if (options_.cost == LinkCost::kCallable) return callable_(earlier, current, cost_.data());
  const FrameView a = earlier_.gather(earlier, options_.joints), b = current_.gather(current, options_.joints);
  switch (options_.cost) {
    case LinkCost::kIou:
      iou_matrix_cpu(a.boxes, b.boxes, {1, a.count, b.count}, cost_.data());
      break;
    case LinkCost::kOks:
      oks(a, b, nullptr, b.areas, cost_.data());
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

// sizes: [rows], out
void PairMatcher::measure(const PoseSubset& subset, std::vector<PoseSize>& sizes) const {
  sizes.clear();
  for (const int64_t row : *subset.rows)
    sizes.push_back(subset.sizes == nullptr ? measure_pose(*subset.frame, row, options_.joints) : subset.sizes[row]);
}

// Costs at the earlier poses' sizes, infinite where that pose is not the larger one with more joints.
void PairMatcher::usual_costs(const PoseSubset& earlier, const PoseSubset& current) {
  const FrameView a = earlier_.gather(earlier, options_.joints), b = current_.gather(current, options_.joints);
  areas_.resize(a.count);  // twice the area, as OKS takes the mean of both sides' areas
  for (int64_t i = 0; i < a.count; ++i) areas_[i] = 2.f * then_[i].area;
  no_areas_.assign(b.count, 0.f);
  oks(a, b, areas_.data(), no_areas_.data(), cost_.data());
  for (int64_t i = 0; i < a.count; ++i)
    for (int64_t j = 0; j < b.count; ++j) {
      float& cost = cost_[i * b.count + j];
      const bool fits = then_[i].joints > now_[j].joints && then_[i].area > now_[j].area;
      cost = fits ? 1.f - cost : std::numeric_limits<float>::infinity();
    }
}

const std::vector<int64_t>& PairMatcher::match(const PoseSubset& earlier, const PoseSubset& current, float max_cost) {
  cost_.resize(current.rows->size() * earlier.rows->size());
  if (!cost_.empty()) costs(earlier, current);
  return solve(earlier, current, max_cost);
}

const std::vector<int64_t>& PairMatcher::match_at_usual_size(const PoseSubset& earlier, const PoseSubset& current) {
  measure(earlier, then_);
  measure(current, now_);
  const auto fewer = [](const PoseSize& a, const PoseSize& b) { return a.joints < b.joints; };
  const bool any = !then_.empty() && !now_.empty() &&
                   std::min_element(now_.begin(), now_.end(), fewer)->joints <
                       std::max_element(then_.begin(), then_.end(), fewer)->joints;
  cost_.resize(any ? then_.size() * now_.size() : 0);
  if (!cost_.empty()) usual_costs(earlier, current);
  return solve(earlier, current, options_.limit(kUsualSizeShare));
}

// Matches by cost_, rows of which are earlier poses: the assignment gives each its current pose. Nobody is matched
// where it is empty.
const std::vector<int64_t>& PairMatcher::solve(const PoseSubset& earlier, const PoseSubset& current, float max_cost) {
  const auto n = static_cast<int64_t>(current.rows->size()), m = static_cast<int64_t>(earlier.rows->size());
  match_.assign(n, -1);
  if (cost_.empty()) return match_;
  pairs_ += n * m;
  columns_.resize(m);
  const auto solve = options_.greedy ? greedy<float> : hungarian<float>;
  solve(cost_.data(), m, n, max_cost, columns_.data(), workspace_);
  for (int64_t i = 0; i < m; ++i)
    if (columns_[i] >= 0) match_[columns_[i]] = i;
  return match_;
}

}  // namespace ptfast
