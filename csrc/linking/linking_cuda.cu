#include "assignment/assignment.h"
#include "assignment/greedy_warp.h"
#include "assignment/hungarian_warp.h"
#include "boxes/boxes_math.h"
#include "common/cuda.h"
#include "linking/linking.h"
#include "oks/oks_math.h"
#include "pckh/pckh_math.h"

namespace ptfast {
namespace {

constexpr int kMaxWarps = 4;             // of a block
constexpr int64_t kSharedBytes = 48000;  // that every device grants a block
constexpr int kTile = 4;                 // earlier poses that share the loads of a current one

// One pass: every frame t is matched with frame t - distance.
struct Pass {
  FrameView poses;               // of the whole video
  const int64_t* frame_offsets;  // [frames + 1]
  int64_t frames, distance, joints;
  LinkCost cost;
  float max_cost, usual_max_cost;  // where poses are compared as they are, and at their usual sizes
  const float* sigmas;             // [joints]
  const int32_t* joints_seen;      // [poses]
  int max_poses;                   // of the largest frame
  int64_t* predecessor;            // [poses]
  uint8_t* has_successor;          // [poses]
};

// The poses of a frame that still lack a partner.
struct FreeRows {
  int64_t first;  // row of the frame's first pose
  int count;
  const uint8_t* place;  // [count] within the frame, in shared memory

  __device__ int64_t operator[](int i) const { return first + place[i]; }
};

// Lists the poses of rows [first, last) that are free, in order: a lane asks for one row a slot, and the ballot tells
// it how many free rows stand before its own.
template <int kSlots, typename IsFree>
__device__ __forceinline__ FreeRows list_free(int64_t first, int64_t last, uint8_t* place, const IsFree& is_free) {
  int count = 0;
  for (int s = 0; s < kSlots; ++s) {
    const int64_t row = first + lane_number() + s * kWarp;
    const bool free = row < last && is_free(row);
    const unsigned all = __ballot_sync(kWholeWarp, free);
    if (free) place[count + __popc(all & ((1u << lane_number()) - 1))] = static_cast<uint8_t>(row - first);
    count += __popc(all);
  }
  __syncwarp();
  return {first, count, place};
}

// Similarities of one current pose with joints of earlier ones, joint by joint.
struct OksTerms {
  const float* sigmas;
  float area, inverse;

  __device__ OksTerms(const Pass& pass, int64_t row)
      : sigmas(pass.sigmas), area(pass.poses.areas[row]), inverse(1.f / oks_area(area)) {}
  __device__ float scale(int64_t joint) const { return oks_factor(sigmas[joint]) * inverse; }
  __device__ static float term(float dx, float dy, float scale) { return oks_term(dx, dy, scale); }
  __device__ float mean(float sum, float count) const { return oks_mean(sum, count, area); }
};
struct PckhTerms {
  float limit;

  __device__ PckhTerms(const Pass& pass, int64_t row) : limit(pckh_limit(kPckhThreshold, pass.poses.head_sizes[row])) {}
  __device__ float scale(int64_t) const { return limit; }
  __device__ static float term(float dx, float dy, float limit) { return pckh_term(dx, dy, limit); }
  __device__ float mean(float sum, float count) const { return pckh_share(sum, count); }
};

// A lane takes one current pose at a time and loads each of its joints once for kTile earlier poses. The last tile
// repeats the last earlier pose, whose sums are not stored.
template <typename Terms, typename Store>
__device__ __forceinline__ void joint_costs(const Pass& pass, const FreeRows& earlier, const FreeRows& current,
                                            const Store& store) {
  const FrameView& poses = pass.poses;
  for (int j = lane_number(); j < current.count; j += kWarp) {
    const int64_t own = current[j];
    const Terms terms(pass, own);
    for (int first = 0; first < earlier.count; first += kTile) {
      float sum[kTile] = {}, count[kTile] = {};
      int64_t joint[kTile];
      for (int i = 0; i < kTile; ++i) joint[i] = earlier[min(first + i, earlier.count - 1)] * pass.joints;
      for (int64_t k = 0; k < pass.joints; ++k) {
        const int64_t at = own * pass.joints + k;
        if (poses.visible[at] == 0) continue;
        const float x = poses.keypoints[2 * at], y = poses.keypoints[2 * at + 1], scale = terms.scale(k);
        for (int i = 0; i < kTile; ++i) {
          const int64_t other = joint[i] + k;
          if (poses.visible[other] == 0) continue;
          sum[i] += Terms::term(poses.keypoints[2 * other] - x, poses.keypoints[2 * other + 1] - y, scale);
          count[i] += 1.f;
        }
      }
      for (int i = 0; i < kTile; ++i)
        if (first + i < earlier.count) store(first + i, j, 1.f - terms.mean(sum[i], count[i]));
    }
  }
}

template <typename Store>
__device__ __forceinline__ void box_costs(const float* boxes, const FreeRows& earlier, const FreeRows& current,
                                          const Store& store) {
  const auto box = [&](int64_t row) {
    const float* p = boxes + 4 * row;
    return Box<float>::from(p[0], p[1], p[2], p[3]);
  };
  for (int j = lane_number(); j < current.count; j += kWarp) {
    const Box<float> own = box(current[j]);
    for (int i = 0; i < earlier.count; ++i) store(i, j, 1.f - box_iou(box(earlier[i]), own));
  }
}

// Says whether the earlier pose was larger while more joints were seen, as PairMatcher::match_at_usual_size has it.
__device__ __forceinline__ bool shows_less(const Pass& pass, int64_t earlier, int64_t current) {
  const FrameView& poses = pass.poses;
  return pass.joints_seen[earlier] > pass.joints_seen[current] && poses.areas[earlier] > poses.areas[current];
}

__device__ __forceinline__ float usual_cost(const Pass& pass, int64_t earlier, int64_t current) {
  const FrameView& poses = pass.poses;
  const OksTerms terms(pass, earlier);
  float sum = 0.f, count = 0.f;
  for (int64_t k = 0; k < pass.joints; ++k) {
    const int64_t a = earlier * pass.joints + k, b = current * pass.joints + k;
    if (poses.visible[a] == 0 || poses.visible[b] == 0) continue;
    const float dx = poses.keypoints[2 * a] - poses.keypoints[2 * b];
    const float dy = poses.keypoints[2 * a + 1] - poses.keypoints[2 * b + 1];
    sum += OksTerms::term(dx, dy, terms.scale(k));
    count += 1.f;
  }
  return 1.f - terms.mean(sum, count);
}

// Costs at the earlier poses' sizes, infinite where the current pose does not show less. False where none does.
template <typename Store>
__device__ __forceinline__ bool usual_costs(const Pass& pass, const FreeRows& earlier, const FreeRows& current,
                                            const Store& store) {
  bool any = false;
  for (int pair = lane_number(); pair < earlier.count * current.count; pair += kWarp) {
    const int i = pair / current.count, j = pair % current.count;
    const bool less = shows_less(pass, earlier[i], current[j]);
    store(i, j, less ? usual_cost(pass, earlier[i], current[j]) : kInfinity<float>);
    any |= less;
  }
  return __any_sync(kWholeWarp, any);
}

// Gives each earlier pose its partner's place among the current ones, or -1: lane l holds those of l and l + 32. False
// where there are none.
template <bool kGreedy, int kSlots>
__device__ __forceinline__ bool match(const Pass& pass, const FreeRows& earlier, const FreeRows& current,
                                      bool usual_size, float* costs, int (&partner)[kSlots]) {
  const int n = earlier.count, m = current.count;
  const bool transposed = !kGreedy && n > m;  // the Hungarian method wants at most as many rows as columns
  const float max_cost = usual_size ? pass.usual_max_cost : pass.max_cost;
  CostCheck<float> check;
  const auto store = [&](int i, int j, float cost) {
    costs[transposed ? j * n + i : i * m + j] = cost;
    check.see(cost, max_cost);
  };
  bool any = true;
  if (usual_size)
    any = usual_costs(pass, earlier, current, store);
  else if (pass.cost == LinkCost::kIou)
    box_costs(pass.poses.boxes, earlier, current, store);
  else if (pass.cost == LinkCost::kOks)
    joint_costs<OksTerms>(pass, earlier, current, store);
  else
    joint_costs<PckhTerms>(pass, earlier, current, store);
  const bool fits = __all_sync(kWholeWarp, check.fits);
  __syncwarp();
  if (!any) return false;
  const WarpCosts<float> in{costs, transposed ? m : n, transposed ? n : m, max_cost};
  if (kGreedy)
    greedy_warp(in, partner);
  else
    hungarian_warp(in, transposed, fits, partner);
  return true;
}

// Bytes of shared memory that a warp needs: the costs, and two lists of places in a frame.
__host__ __device__ constexpr int64_t warp_bytes(int64_t max_poses) {
  return max_poses * max_poses * 4 + (2 * max_poses + 3) / 4 * 4;
}

// Matches the free poses of frame t; false where there is no pair.
// costs, places: the warp's shared memory
template <int kSlots, bool kGreedy>
__device__ __forceinline__ bool match_free(const Pass& pass, int64_t t, bool usual_size, float* costs,
                                           uint8_t* places) {
  __syncwarp();
  const int64_t *now = pass.frame_offsets + t, *then = now - pass.distance;
  const FreeRows current =
      list_free<kSlots>(now[0], now[1], places, [&](int64_t row) { return pass.predecessor[row] < 0; });
  if (current.count == 0) return false;
  const FreeRows earlier = list_free<kSlots>(then[0], then[1], places + pass.max_poses,
                                             [&](int64_t row) { return pass.has_successor[row] == 0; });
  if (earlier.count == 0) return false;
  int partner[kSlots];
  if (!match<kGreedy>(pass, earlier, current, usual_size, costs, partner)) return false;
  for (int s = 0; s < kSlots; ++s) {
    if (partner[s] < 0) continue;
    const int64_t row = earlier[lane_number() + s * kWarp];
    pass.predecessor[current[partner[s]]] = row;
    pass.has_successor[row] = 1;
  }
  return true;
}

// One warp a frame. Only that of frame t writes the predecessors of frame t and the successors of frame t - distance.
template <int kSlots, bool kGreedy>
__global__ void link_pass_kernel(Pass pass) {
  PTFAST_DYNAMIC_SHARED(unsigned char, shared);
  const int warp = threadIdx.x / kWarp, warps = blockDim.x / kWarp;
  auto* costs = reinterpret_cast<float*>(shared + warp * warp_bytes(pass.max_poses));
  auto* places = reinterpret_cast<uint8_t*>(costs + pass.max_poses * pass.max_poses);
  const int64_t stride = static_cast<int64_t>(gridDim.x) * warps;
  const int rounds = pass.cost == LinkCost::kOks ? 2 : 1;  // the second one at usual sizes
  for (int64_t t = pass.distance + blockIdx.x * static_cast<int64_t>(warps) + warp; t < pass.frames; t += stride)
    for (int round = 0; round < rounds; ++round)
      if (!match_free<kSlots, kGreedy>(pass, t, round == 1, costs, places)) break;
}

using PassKernel = void (*)(Pass);

PassKernel kernel_for(bool greedy, bool two_slots) {
  if (greedy) return two_slots ? link_pass_kernel<2, true> : link_pass_kernel<1, true>;
  return two_slots ? link_pass_kernel<2, false> : link_pass_kernel<1, false>;
}

}  // namespace

int find_predecessors_cuda(const VideoView& video, const float* sigmas, const int32_t* joints_seen, int64_t max_poses,
                           const LinkOptions& options, int64_t* predecessor, uint8_t* has_successor, int device,
                           void* stream) {
  if (max_poses > kMaxOnGpu || options.cost == LinkCost::kCallable || options.velocity) return cudaErrorInvalidValue;
  if (max_poses == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  Pass pass{video.columns,
            video.frame_offsets,
            video.frames,
            0,
            options.joints,
            options.cost,
            options.max_cost,
            options.limit(kUsualSizeShare),
            sigmas,
            joints_seen,
            static_cast<int>(max_poses),
            predecessor,
            has_successor};
  const auto warps = static_cast<int>(std::clamp<int64_t>(kSharedBytes / warp_bytes(max_poses), 1, kMaxWarps));
  const PassKernel kernel = kernel_for(options.greedy, max_poses > kWarp);
  for (pass.distance = 1; pass.distance <= std::min(options.lookback, video.frames - 1); ++pass.distance) {
    const int64_t frames = video.frames - pass.distance;
    const cudaError_t status =
        launch(kernel, grid_size(frames, warps), warps * kWarp, warps * warp_bytes(max_poses), stream, pass);
    if (status != cudaSuccess) return status;
  }
  return cudaSuccess;
}

}  // namespace ptfast
