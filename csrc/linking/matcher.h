#pragma once
#include <vector>

#include "assignment/assignment.h"
#include "linking/linking.h"

namespace ptfast {

// The size of a pose by itself.
PoseSize measure_pose(const FrameView& poses, int64_t row, int64_t joints);

// Matches poses of two frames. Holds the work space of one thread; nothing is allocated once it has grown.
class PairMatcher {
 public:
  PairMatcher(const LinkOptions& options, const CostFunction& callable) : options_(options), callable_(callable) {}

  // For each row of `current` in order, the position in `earlier`'s rows that it is matched with, or -1. Pairs above
  // max_cost are never made.
  const std::vector<int64_t>& match(const PoseSubset& earlier, const PoseSubset& current, float max_cost);

  // The same by OKS for current poses that show less of a person than was seen before, at the person's usual size:
  // pairs whose earlier pose was larger while more joints were seen. The extent of a hand or a face says nothing about
  // how far a person moves.
  const std::vector<int64_t>& match_at_usual_size(const PoseSubset& earlier, const PoseSubset& current);

  // Number of pairs of poses compared so far: the work, whatever the machine does besides.
  int64_t pairs() const { return pairs_; }

 private:
  void costs(const PoseSubset& earlier, const PoseSubset& current);
  void oks(const FrameView& a, const FrameView& b, const float* area_a, const float* area_b, float* out) const;
  void measure(const PoseSubset& subset, std::vector<PoseSize>& sizes) const;
  void usual_costs(const PoseSubset& earlier, const PoseSubset& current);
  const std::vector<int64_t>& solve(const PoseSubset& earlier, const PoseSubset& current, float max_cost);

  // One side's columns, gathered and moved where it is not a whole frame at rest.
  struct Side {
    std::vector<float> keypoints, boxes, areas, head_sizes;
    std::vector<uint8_t> visible;
    FrameView gather(const PoseSubset& subset, int64_t joints);
  };

  const LinkOptions& options_;
  const CostFunction& callable_;
  Side earlier_, current_;
  std::vector<float> cost_, areas_, no_areas_;
  std::vector<PoseSize> then_, now_;  // sizes of the earlier and the current rows
  std::vector<int64_t> columns_, match_;
  int64_t pairs_ = 0;
  AssignmentWorkspace<float> workspace_;
};

}  // namespace ptfast
