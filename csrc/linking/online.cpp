#include "linking/online.h"

#include <algorithm>

namespace ptfast {

void OnlineLinker::OwnedFrame::copy(const FrameView& frame, int64_t joints) {
  keypoints.assign(frame.keypoints, frame.keypoints + frame.count * joints * 2);
  visible.assign(frame.visible, frame.visible + frame.count * joints);
  boxes.assign(frame.boxes, frame.boxes + frame.count * 4);
  areas.assign(frame.areas, frame.areas + frame.count);
  head_sizes.assign(frame.head_sizes, frame.head_sizes + frame.count);
  state.view = {frame.frame,  frame.count,  keypoints.data(), visible.data(),
                boxes.data(), areas.data(), head_sizes.data()};
}

OnlineLinker::OnlineLinker(LinkOptions options, CostFunction callable, int64_t first_id)
    : options_(std::move(options)),
      callable_(std::move(callable)),
      cascade_(options_, callable_),
      giver_(options_.max_tracks, first_id) {}

void OnlineLinker::update(const FrameView& frame, int64_t* ids) {
  OwnedFrame current;  // made of the oldest frame, for its buffers, once there are enough
  if (static_cast<int64_t>(frames_.size()) > options_.lookback) {
    current = std::move(frames_.back());
    frames_.pop_back();
  }
  std::vector<FrameState*> history;
  for (OwnedFrame& owned : frames_) history.push_back(&owned.state);
  current.copy(frame, options_.joints);
  current.state.view.frame = count_;
  const auto& found = cascade_.link(history, current.state);
  current.state.ids.assign(frame.count, -1);
  for (int64_t j = 0; j < frame.count; ++j)
    if (found[j].distance > 0) current.state.ids[j] = history[found[j].distance - 1]->ids[found[j].row];
  giver_.give(frame.count, current.state.ids.data());
  std::copy(current.state.ids.begin(), current.state.ids.end(), ids);
  frames_.push_front(std::move(current));
  ++count_;  // last, so that a cost that throws leaves the linker as it was
}

std::vector<int64_t> OnlineLinker::lost_tracks() const {
  std::vector<int64_t> lost;
  const size_t reach = std::min<size_t>(frames_.size(), options_.lookback);
  for (size_t d = 1; d < reach; ++d) {
    const FrameState& state = frames_[d].state;
    for (int64_t i = 0; i < state.view.count; ++i)
      if (!state.has_successor[i] && state.ids[i] >= 0) lost.push_back(state.ids[i]);
  }
  std::sort(lost.begin(), lost.end());
  return lost;
}

}  // namespace ptfast
