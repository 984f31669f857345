#pragma once
#include <vector>

#include "assignment/assignment.h"
#include "linking/linking.h"

namespace ptfast {

// Matches poses of two frames. Holds the work space of one thread; nothing is allocated once it has grown.
class PairMatcher {
 public:
  PairMatcher(const LinkOptions& options, const CostFunction& callable) : options_(options), callable_(callable) {}

  // For each row of `current` in order, the position in `earlier`'s rows that it is matched with, or -1. Pairs above
  // max_cost are never made.
  const std::vector<int64_t>& match(const PoseSubset& earlier, const PoseSubset& current, float max_cost);

  // Number of pairs of poses compared so far: the work, whatever the machine does besides.
  int64_t pairs() const { return pairs_; }

 private:
  void costs(const PoseSubset& earlier, const PoseSubset& current);

  // One side's columns, gathered and moved where it is not a whole frame at rest.
  struct Side {
    std::vector<float> keypoints, boxes, areas, head_sizes;
    std::vector<uint8_t> visible;
    FrameView gather(const PoseSubset& subset, int64_t joints);
  };

  const LinkOptions& options_;
  const CostFunction& callable_;
  Side earlier_, current_;
  std::vector<float> cost_;
  std::vector<int64_t> columns_, match_;
  int64_t pairs_ = 0;
  AssignmentWorkspace<float> workspace_;
};

}  // namespace ptfast
