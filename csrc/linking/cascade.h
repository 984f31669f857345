#pragma once
#include <vector>

#include "linking/matcher.h"

namespace ptfast {

// A frame that later frames may still link to.
struct FrameState {
  FrameView view;
  std::vector<uint8_t> has_successor;    // [n]
  std::vector<uint8_t> has_predecessor;  // [n], set with velocities alone
  std::vector<float> velocity;           // [n, 2] pixels a frame, of the whole body
  std::vector<PoseSize> sizes;           // [n] of the tracks while most joints were seen; OKS with velocities alone
  std::vector<int64_t> ids;              // [n]
};

// Where a pose comes from: row `row` of the frame `distance` frames back, or distance 0.
struct Predecessor {
  int64_t distance = 0, row = -1;
  bool operator==(const Predecessor& other) const { return distance == other.distance && row == other.row; }
};

// Links one frame at a time to the `lookback` frames before it.
class FrameCascade {
 public:
  FrameCascade(const LinkOptions& options, const CostFunction& callable)
      : options_(options), matcher_(options, callable) {}

  // Finds current's predecessors, marks them in the history as succeeded and sets current's velocities.
  // history[d - 1] is the frame d frames back.
  const std::vector<Predecessor>& link(const std::vector<FrameState*>& history, FrameState& current);

  // Pairs of poses compared so far.
  int64_t pairs() const { return matcher_.pairs(); }

 private:
  void cascade(const std::vector<FrameState*>& history, const FrameState& current, float shift_x, float shift_y);
  void cascade_round(const std::vector<FrameState*>& history, const FrameState& current, float shift_x, float shift_y,
                     float max_cost, bool last);
  bool match_frame(const FrameState& earlier, const FrameState& current, int64_t distance, float shift_x, float shift_y,
                   float max_cost, bool usual_size);
  bool common_shift(const std::vector<FrameState*>& history, const FrameState& current, float* x, float* y);
  void set_velocities(const std::vector<FrameState*>& history, FrameState& current);
  void set_sizes(const std::vector<FrameState*>& history, FrameState& current) const;

  const LinkOptions& options_;
  PairMatcher matcher_;
  std::vector<Predecessor> found_, before_;
  std::vector<int64_t> earlier_rows_, current_rows_;
  std::vector<float> shifts_, values_x_, values_y_;
  std::vector<std::vector<uint8_t>> taken_;  // for each frame of the history, the poses that have a successor
};

// Hands ids down: a pose takes its predecessor's, others get the next free one in row order. Of more than max_tracks
// poses in a frame, those that continue a track come first; the rest get -1.
class IdGiver {
 public:
  explicit IdGiver(int64_t max_tracks, int64_t first = 0) : max_tracks_(max_tracks), next_(first) {}

  // ids: [n], on entry the predecessors' ids or -1
  void give(int64_t n, int64_t* ids);

  int64_t next() const { return next_; }

 private:
  int64_t max_tracks_, next_;
};

}  // namespace ptfast
