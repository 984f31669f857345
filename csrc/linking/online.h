#pragma once
#include <deque>
#include <vector>

#include "linking/cascade.h"

namespace ptfast {

// Links a stream of frames in constant memory: it owns copies of the newest frame and the `lookback` before it.
class OnlineLinker {
 public:
  OnlineLinker(LinkOptions options, CostFunction callable, int64_t first_id);
  OnlineLinker(const OnlineLinker&) = delete;
  OnlineLinker& operator=(const OnlineLinker&) = delete;

  // ids: [n], out
  void update(const FrameView& frame, int64_t* ids);

  // The id that the next new track will have.
  int64_t next_id() const { return giver_.next(); }

  // Ids that no pose of the newest frame has and that the next frame may still take up, ascending.
  std::vector<int64_t> lost_tracks() const;

  // Pairs of poses compared so far.
  int64_t pairs() const { return cascade_.pairs(); }

 private:
  struct OwnedFrame {
    std::vector<float> keypoints, boxes, areas, head_sizes;
    std::vector<uint8_t> visible;
    FrameState state;
    void copy(const FrameView& frame, int64_t joints);
  };

  LinkOptions options_;
  CostFunction callable_;
  FrameCascade cascade_;
  IdGiver giver_;
  std::deque<OwnedFrame> frames_;  // the newest first
  int64_t count_ = 0;
};

}  // namespace ptfast
