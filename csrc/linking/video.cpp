#include <algorithm>
#include <atomic>
#include <deque>
#include <numeric>

#include "common/parallel.h"
#include "linking/cascade.h"
#include "linking/linking.h"

namespace ptfast {
namespace {

constexpr int64_t kFramesAPiece = 128;  // about 200 us of work at ten people a frame

// Links a video without velocity, one pass for each distance.
struct Passes {
  const VideoView& video;
  const LinkOptions& options;
  int64_t* predecessor;                // [poses]
  std::vector<uint8_t> has_successor;  // [poses]

  void link_frame(int64_t t, int64_t d, PairMatcher& matcher, std::vector<int64_t> rows[2]);
  bool match_free(int64_t t, int64_t d, bool usual_size, PairMatcher& matcher, std::vector<int64_t> rows[2]);
};

// Matches frame t with frame t - d, and once more at usual sizes. Within one d, only this call touches the successors
// of frame t - d and the predecessors of frame t, so calls for different t may run at once.
void Passes::link_frame(int64_t t, int64_t d, PairMatcher& matcher, std::vector<int64_t> rows[2]) {
  if (match_free(t, d, false, matcher, rows) && options.cost == LinkCost::kOks) match_free(t, d, true, matcher, rows);
}

// Matches the poses that are still free; false where there are none on one side.
bool Passes::match_free(int64_t t, int64_t d, bool usual_size, PairMatcher& matcher, std::vector<int64_t> rows[2]) {
  const FrameView earlier = video.frame(t - d, options.joints), current = video.frame(t, options.joints);
  const int64_t first_earlier = video.frame_offsets[t - d], first_current = video.frame_offsets[t];
  rows[0].clear();
  rows[1].clear();
  for (int64_t j = 0; j < current.count; ++j)
    if (predecessor[first_current + j] < 0) rows[1].push_back(j);
  if (rows[1].empty()) return false;
  for (int64_t i = 0; i < earlier.count; ++i)
    if (!has_successor[first_earlier + i]) rows[0].push_back(i);
  if (rows[0].empty()) return false;
  const PoseSubset then{&earlier, &rows[0], nullptr, nullptr};
  const PoseSubset now{&current, &rows[1], nullptr, nullptr};
  const auto& match = usual_size ? matcher.match_at_usual_size(then, now) : matcher.match(then, now, options.max_cost);
  for (size_t j = 0; j < match.size(); ++j) {
    if (match[j] < 0) continue;
    const int64_t row = first_earlier + rows[0][match[j]];
    predecessor[first_current + rows[1][j]] = row;
    has_successor[row] = 1;
  }
  return true;
}

// Both give the pairs that were compared, and
// predecessor: [poses], the row of each pose's predecessor or -1
int64_t link_in_passes(const VideoView& video, const LinkOptions& options, const CostFunction& callable,
                       int64_t* predecessor) {
  Passes passes{video, options, predecessor, std::vector<uint8_t>(video.columns.count, 0)};
  std::atomic<int64_t> pairs{0};
  const int64_t grain = callable ? video.frames : kFramesAPiece;  // a callable runs on the caller's thread
  for (int64_t d = 1; d <= std::min(options.lookback, video.frames - 1); ++d)
    parallel_for(video.frames - d, grain, [&](int64_t begin, int64_t end) {
      PairMatcher matcher(options, callable);
      std::vector<int64_t> rows[2];
      for (int64_t t = begin + d; t < end + d; ++t) passes.link_frame(t, d, matcher, rows);
      pairs += matcher.pairs();
    });
  return pairs;
}

int64_t link_in_order(const VideoView& video, const LinkOptions& options, const CostFunction& callable,
                      int64_t* predecessor) {
  FrameCascade cascade(options, callable);
  std::deque<FrameState> states;  // the newest first, as a history; a dropped one is reused for its buffers
  std::vector<FrameState*> history;
  for (int64_t t = 0; t < video.frames; ++t) {
    FrameState current;
    if (static_cast<int64_t>(states.size()) > options.lookback) {
      current = std::move(states.back());
      states.pop_back();
    }
    history.clear();
    for (FrameState& state : states) history.push_back(&state);
    current.view = video.frame(t, options.joints);
    const auto& found = cascade.link(history, current);
    for (int64_t j = 0; j < current.view.count; ++j)
      if (found[j].distance > 0)
        predecessor[video.frame_offsets[t] + j] = video.frame_offsets[t - found[j].distance] + found[j].row;
    states.push_front(std::move(current));
  }
  return cascade.pairs();
}

}  // namespace

int64_t link_video(const VideoView& video, const LinkOptions& options, const CostFunction& callable, int64_t* ids) {
  std::fill_n(ids, video.columns.count, int64_t{-1});
  const int64_t pairs = (options.velocity ? link_in_order : link_in_passes)(video, options, callable, ids);
  hand_down_ids(video.frame_offsets, video.frames, options.max_tracks, ids);
  return pairs;
}

void hand_down_ids(const int64_t* frame_offsets, int64_t frames, int64_t max_tracks, int64_t* ids) {
  // A predecessor stands in an earlier row, so its id is known when its successor's row comes.
  IdGiver giver(max_tracks);
  for (int64_t f = 0; f < frames; ++f) {
    const int64_t first = frame_offsets[f], last = frame_offsets[f + 1];
    for (int64_t row = first; row < last; ++row)
      if (ids[row] >= 0) ids[row] = ids[ids[row]];
    giver.give(last - first, ids + first);
  }
}

}  // namespace ptfast
