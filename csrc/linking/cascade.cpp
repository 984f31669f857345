#include "linking/cascade.h"

#include <algorithm>
#include <cmath>

namespace ptfast {
namespace {

// With velocities a frame is matched in two rounds: first pairs that cost at most this share of max_cost, over all
// distances, then the rest. In one round a person who reappears takes the track of a neighbour who has just been
// missed, because that track stands one frame closer than his own.
constexpr float kSureShare = 1.f / 6.f;
// How often a frame is matched again without its common shift: the first shift is the median of a matching that may
// itself be wrong where the camera moved far.
constexpr int kShiftRounds = 2;
// Share of the predecessor's velocity in a pose's own: joints jitter, bodies have mass.
constexpr float kInertia = 0.5f;

// Mean displacement of the joints that both poses have, per frame; of the boxes' centres where they share none.
void whole_body_velocity(const FrameView& earlier, int64_t i, const FrameView& current, int64_t j, int64_t joints,
                         int64_t distance, float* velocity) {
  float x = 0.f, y = 0.f;
  int64_t count = 0;
  for (int64_t k = 0; k < joints; ++k) {
    if (!earlier.visible[i * joints + k] || !current.visible[j * joints + k]) continue;
    const float *p = earlier.keypoints + (i * joints + k) * 2, *q = current.keypoints + (j * joints + k) * 2;
    x += q[0] - p[0];
    y += q[1] - p[1];
    ++count;
  }
  if (count == 0) {
    const float *p = earlier.boxes + 4 * i, *q = current.boxes + 4 * j;
    x = (q[0] + q[2] - p[0] - p[2]) * 0.5f;
    y = (q[1] + q[3] - p[1] - p[3]) * 0.5f;
    count = 1;
  }
  const auto scale = static_cast<float>(count * distance);
  velocity[0] = x / scale;
  velocity[1] = y / scale;
}

// The mean of the two middle values where their number is even.
float median(std::vector<float>& values) {
  const auto middle = values.begin() + static_cast<int64_t>(values.size()) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) * 0.5f;
}

}  // namespace

// Finds predecessors anew, as if no pose of the current frame had one; what earlier frames took stays taken.
void FrameCascade::cascade(const std::vector<FrameState*>& history, const FrameState& current, float shift_x,
                           float shift_y) {
  found_.assign(current.view.count, {});
  taken_.resize(history.size());
  for (size_t d = 0; d < history.size(); ++d) taken_[d] = history[d]->has_successor;
  if (options_.velocity) cascade_round(history, current, shift_x, shift_y, options_.limit(kSureShare), false);
  cascade_round(history, current, shift_x, shift_y, options_.max_cost, true);
}

// Matches what is still free on both sides with the frame d back, for d = 1 to lookback: a near frame goes first, as a
// pose of it says more about where a person is. In the last round those who are left over are compared at their usual
// size: nobody whom their own size tells apart is taken for somebody larger.
void FrameCascade::cascade_round(const std::vector<FrameState*>& history, const FrameState& current, float shift_x,
                                 float shift_y, float max_cost, bool last) {
  const auto reach = std::min<int64_t>(options_.lookback, history.size());
  for (int64_t d = 1; d <= reach; ++d) {
    const FrameState& earlier = *history[d - 1];
    if (!match_frame(earlier, current, d, shift_x, shift_y, max_cost, false)) return;
    if (last && options_.cost == LinkCost::kOks) match_frame(earlier, current, d, shift_x, shift_y, 0.f, true);
  }
}

// False where no current pose is free.
bool FrameCascade::match_frame(const FrameState& earlier, const FrameState& current, int64_t distance, float shift_x,
                               float shift_y, float max_cost, bool usual_size) {
  auto& taken = taken_[distance - 1];
  earlier_rows_.clear();
  current_rows_.clear();
  for (int64_t i = 0; i < earlier.view.count; ++i)
    if (!taken[i]) earlier_rows_.push_back(i);
  for (int64_t j = 0; j < current.view.count; ++j)
    if (found_[j].distance == 0) current_rows_.push_back(j);
  if (current_rows_.empty()) return false;
  if (earlier_rows_.empty()) return true;
  shifts_.clear();
  const auto steps = static_cast<float>(std::min(distance, options_.horizon));
  if (options_.velocity)
    for (const int64_t i : earlier_rows_) {
      shifts_.push_back(earlier.velocity[2 * i] * steps + shift_x);
      shifts_.push_back(earlier.velocity[2 * i + 1] * steps + shift_y);
    }
  const float* shift = options_.velocity ? shifts_.data() : nullptr;
  const PoseSubset then{&earlier.view, &earlier_rows_, shift, earlier.sizes.empty() ? nullptr : earlier.sizes.data()};
  const PoseSubset now{&current.view, &current_rows_, nullptr, nullptr};
  const auto& match = usual_size ? matcher_.match_at_usual_size(then, now) : matcher_.match(then, now, max_cost);
  for (size_t j = 0; j < match.size(); ++j) {
    if (match[j] < 0) continue;
    found_[current_rows_[j]] = {distance, earlier_rows_[match[j]]};
    taken[earlier_rows_[match[j]]] = 1;
  }
  return true;
}

// Median over all joints of all matches of what the velocities did not foresee: the camera's motion. False where no
// joint was matched.
bool FrameCascade::common_shift(const std::vector<FrameState*>& history, const FrameState& current, float* x,
                                float* y) {
  const int64_t joints = options_.joints;
  values_x_.clear();
  values_y_.clear();
  for (int64_t j = 0; j < current.view.count; ++j) {
    const auto [distance, i] = found_[j];
    if (distance == 0) continue;
    const FrameState& earlier = *history[distance - 1];
    const auto steps = static_cast<float>(std::min(distance, options_.horizon));
    const float dx = earlier.velocity[2 * i] * steps, dy = earlier.velocity[2 * i + 1] * steps;
    for (int64_t k = 0; k < joints; ++k) {
      if (!earlier.view.visible[i * joints + k] || !current.view.visible[j * joints + k]) continue;
      values_x_.push_back(current.view.keypoints[(j * joints + k) * 2] -
                          (earlier.view.keypoints[(i * joints + k) * 2] + dx));
      values_y_.push_back(current.view.keypoints[(j * joints + k) * 2 + 1] -
                          (earlier.view.keypoints[(i * joints + k) * 2 + 1] + dy));
    }
  }
  if (values_x_.empty()) return false;
  *x = median(values_x_);
  *y = median(values_y_);
  return true;
}

// Sets current's velocities: half of what its predecessor had, half of what it moved. A pose without predecessor moves
// like the median of those that have one, which in a moving camera's image is nearer the truth than standing still.
void FrameCascade::set_velocities(const std::vector<FrameState*>& history, FrameState& current) {
  values_x_.clear();
  values_y_.clear();
  current.velocity.assign(2 * current.view.count, 0.f);
  current.has_predecessor.assign(current.view.count, 0);
  for (int64_t j = 0; j < current.view.count; ++j) {
    const auto [distance, i] = found_[j];
    if (distance == 0) continue;
    const FrameState& earlier = *history[distance - 1];
    float* velocity = &current.velocity[2 * j];
    whole_body_velocity(earlier.view, i, current.view, j, options_.joints, distance, velocity);
    current.has_predecessor[j] = 1;
    if (earlier.has_predecessor[i])
      for (int axis = 0; axis < 2; ++axis)
        velocity[axis] = kInertia * earlier.velocity[2 * i + axis] + (1.f - kInertia) * velocity[axis];
    values_x_.push_back(velocity[0]);
    values_y_.push_back(velocity[1]);
  }
  if (values_x_.empty()) return;
  const float x = median(values_x_), y = median(values_y_);
  for (int64_t j = 0; j < current.view.count; ++j) {
    if (current.has_predecessor[j]) continue;
    current.velocity[2 * j] = x;
    current.velocity[2 * j + 1] = y;
  }
}

// A person who shows a hand or a face alone stays as large as their track was.
void FrameCascade::set_sizes(const std::vector<FrameState*>& history, FrameState& current) const {
  current.sizes.resize(current.view.count);
  for (int64_t j = 0; j < current.view.count; ++j) {
    const auto [distance, i] = found_[j];
    PoseSize& size = current.sizes[j];
    size = measure_pose(current.view, j, options_.joints);
    if (distance == 0) continue;
    const PoseSize& usual = history[distance - 1]->sizes[i];
    if (usual.joints > size.joints) size = {std::max(usual.area, size.area), usual.joints};
  }
}

// The first matching knows nothing of the camera. Its median residual is the camera's shift where most pairs are right,
// and with the shift removed the wrong ones are found again.
const std::vector<Predecessor>& FrameCascade::link(const std::vector<FrameState*>& history, FrameState& current) {
  cascade(history, current, 0.f, 0.f);
  if (options_.velocity) {
    float x, y;
    for (int round = 0; round < kShiftRounds && common_shift(history, current, &x, &y); ++round) {
      before_ = found_;
      cascade(history, current, x, y);
      if (found_ == before_) break;  // the same pairs have the same shift
    }
  }
  current.has_successor.assign(current.view.count, 0);
  for (const auto& [distance, row] : found_)
    if (distance > 0) history[distance - 1]->has_successor[row] = 1;
  if (options_.velocity) set_velocities(history, current);
  if (options_.velocity && options_.cost == LinkCost::kOks) set_sizes(history, current);
  return found_;
}

void IdGiver::give(int64_t n, int64_t* ids) {
  int64_t carried = 0;
  for (int64_t i = 0; i < n; ++i)
    if (ids[i] >= 0 && ++carried > max_tracks_) ids[i] = -1;
  carried = std::min(carried, max_tracks_);
  for (int64_t i = 0; i < n; ++i)
    if (ids[i] < 0 && carried < max_tracks_) {
      ids[i] = next_++;
      ++carried;
    }
}

}  // namespace ptfast
