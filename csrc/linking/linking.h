#pragma once
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace ptfast {

constexpr float kPckhThreshold = 0.5f;  // of the head size, as PoseTrack's evaluator has it
// Share of max_cost that a pair may cost at the person's usual size: a hand says less than a body, so it must be
// nearer. Chosen on training sequences: at the whole of it, poses that lack a few joints take over the tracks of people
// who were just missed.
constexpr float kUsualSizeShare = 0.5f;

enum class LinkCost { kIou, kOks, kPckh, kCallable };

struct LinkOptions {
  LinkCost cost = LinkCost::kOks;
  bool greedy = false;    // else Hungarian
  bool velocity = false;  // move earlier poses by their whole-body velocity and the frame's common shift
  int64_t lookback = 1;   // frames d = 1 .. lookback are searched, in order
  int64_t horizon = 1;    // a velocity is carried on for at most this many frames
  float max_cost = std::numeric_limits<float>::infinity();
  int64_t joints = 0;
  std::vector<float> sigmas;  // [joints], already widened
  int64_t max_tracks = std::numeric_limits<int64_t>::max();

  // A share of max_cost, of 1 where there is none.
  float limit(float share) const { return share * (std::isinf(max_cost) ? 1.f : max_cost); }
};

// The poses of one frame; n poses, k joints.
struct FrameView {
  int64_t frame;            // its number, which a callable cost is told
  int64_t count;            // n
  const float* keypoints;   // [n, k, 2] pixels
  const uint8_t* visible;   // [n, k], zero where the joint is absent
  const float* boxes;       // [n, 4] xyxy
  const float* areas;       // [n] square pixels
  const float* head_sizes;  // [n] pixels

  // `rows` poses from row `first` on, as frame f.
  FrameView rows(int64_t f, int64_t first, int64_t rows, int64_t joints) const {
    return {f,
            rows,
            keypoints + first * joints * 2,
            visible + first * joints,
            boxes + first * 4,
            areas + first,
            head_sizes + first};
  }
};

// A whole video; frame f holds the rows frame_offsets[f] to frame_offsets[f + 1] of every column.
struct VideoView {
  FrameView columns;             // count is the number of poses
  const int64_t* frame_offsets;  // [frames + 1]
  int64_t frames;

  FrameView frame(int64_t f, int64_t joints) const {
    return columns.rows(f, frame_offsets[f], frame_offsets[f + 1] - frame_offsets[f], joints);
  }
};

// How large a person is, and how many joints were seen where that was measured.
struct PoseSize {
  float area;  // square pixels
  int32_t joints;
};

// Some poses of a frame, perhaps moved: one side of a cost.
struct PoseSubset {
  const FrameView* frame;
  const std::vector<int64_t>* rows;
  const float* shift;     // [rows, 2] added to the joints and the box, or null
  const PoseSize* sizes;  // [frame's poses] usual ones, or null: the poses' own
};

// Fills out [earlier rows, current rows] with costs.
using CostFunction = std::function<void(const PoseSubset& earlier, const PoseSubset& current, float* out)>;

// Links a video. ids: [poses], -1 only where max_tracks leaves no room. Costs 1 - similarity with a = earlier pose and
// b = current pose, from `callable` where options.cost says so. OKS takes b's area; poses that find no partner so are
// compared again with poses of which more joints are seen, at the larger area of these. Without velocity no pass
// depends on another frame of the same pass, so each pass d runs over all frames in parallel; with velocity frames go
// in order. Both give the ids that OnlineLinker gives. Returns the number of pairs of poses that were compared.
int64_t link_video(const VideoView& video, const LinkOptions& options, const CostFunction& callable, int64_t* ids);

// Hands ids down along a video, as IdGiver does.
// frame_offsets: [frames + 1], ids: [poses], on entry the row of each pose's predecessor or -1
void hand_down_ids(const int64_t* frame_offsets, int64_t frames, int64_t max_tracks, int64_t* ids);

// The predecessors that link_video finds without velocity and without a callable, on `device` and `stream` (a
// cudaStream_t); OKS may differ in its last bits. Pointers are the device's. Returns a cudaError_t as int.
// sigmas: [joints]; joints_seen: [poses]; max_poses: of the largest frame, at most kMaxOnGpu
// predecessor: [poses], on entry all -1; has_successor: [poses], on entry all 0
int find_predecessors_cuda(const VideoView& video, const float* sigmas, const int32_t* joints_seen, int64_t max_poses,
                           const LinkOptions& options, int64_t* predecessor, uint8_t* has_successor, int device,
                           void* stream);

}  // namespace ptfast
