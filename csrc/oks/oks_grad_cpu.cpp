#include <algorithm>
#include <vector>

#include "common/packed_poses.h"
#include "common/parallel.h"
#include "common/simd.h"
#include "oks/oks.h"
#include "oks/oks_math.h"

namespace ptfast {
namespace {

constexpr int64_t kRows = 128;  // rows that share one packing

// Poses of one side, whose gradient is asked for, and of the other side, over which it sums: a and b, or b and a. The
// OKS is symmetric but for the area, so one loop serves both.
template <typename T>
struct Sides {
  const T *own, *other;                        // [batch, own_count, k, 2], [batch, other_count, k, 2]
  const uint8_t *own_visible, *other_visible;  // [batch, own_count, k], [batch, other_count, k], or null
  const T *own_area, *other_area;              // [batch, own_count], [batch, other_count]; null where it does not count
  int64_t own_count, other_count, k;
  int64_t own_step, other_step;  // in grad_out, from a pose to the next

  Sides(const OksInputs<T>& in, bool transposed)
      : own(transposed ? in.b : in.a),
        other(transposed ? in.a : in.b),
        own_visible(transposed ? in.b_visible : in.a_visible),
        other_visible(transposed ? in.a_visible : in.b_visible),
        own_area(transposed ? in.area_b : in.area_a),
        other_area(transposed ? in.area_a : in.area_b),
        own_count(transposed ? in.shape.m : in.shape.n),
        other_count(transposed ? in.shape.n : in.shape.m),
        k(in.shape.k),
        own_step(transposed ? 1 : in.shape.m),
        other_step(transposed ? in.shape.m : 1) {}

  PTFAST_INLINE T area(int64_t row, int64_t column) const {
    if (own_area == nullptr) return other_area[column];
    return other_area == nullptr ? own_area[row] : oks_mean_area(own_area[row], other_area[column]);
  }
};

// Poses of the other side with their weights in a row's gradient.
template <typename T>
struct GradientColumns {
  PackedPoses<T> poses;
  std::vector<int64_t> joints;  // of the row's pose, from visible_joints
  T count[kColumns];            // joints visible in both
  T slope[kColumns];            // kTwoLn2 grad / count / area, 0 where the pair has no gradient
  T inverse_area[kColumns];

  // grads: from the row's pair with the first column on, `step` apart
  PTFAST_INLINE void set_row(const Sides<T>& s, const T* grads, int64_t row, int64_t first) {
    visible_joints(s.own_visible == nullptr ? nullptr : s.own_visible + row * s.k, s.k, joints);
    std::fill_n(count, kColumns, T(0));
    for (const int64_t* joint = joints.data(); *joint >= 0; ++joint)
      for (int64_t j = 0; j < poses.width; ++j)
        count[j] += poses.all_visible ? T(1) : poses.weight[*joint * kColumns + j];
    std::fill_n(slope, kColumns, T(0));
    std::fill_n(inverse_area, kColumns, T(1));
    for (int64_t j = 0; j < poses.width; ++j) {
      const T area = s.area(row, first + j);
      if (!(count[j] > T(0) && area > kOksLeastArea<T>)) {
        count[j] = T(0);
        continue;
      }
      inverse_area[j] = T(1) / area;
      slope[j] = grads[j * s.other_step] / count[j] * inverse_area[j] * T(kTwoLn2);
    }
  }
};

// Adds to grad[0] and grad[1] the share of joint k at (x, y) from all columns. The sums run in lanes and are added up
// at the end, in the order of the lanes. A pair without a gradient has count 0, and its distance is set to 0, so that a
// NaN or an overflow there cannot reach the sum.
template <typename T, bool kAllVisible>
PTFAST_INLINE void gradient_of_joint(const GradientColumns<T>& b, int64_t k, T x, T y, T factor, T* grad) {
  T sum_x[kBlock] = {}, sum_y[kBlock] = {};
  for (int64_t block = 0; block < b.poses.padded; block += kBlock) {
    const int64_t column = k * kColumns + block;
    const T *other_x = &b.poses.x[column], *other_y = &b.poses.y[column], *weight = &b.poses.weight[column];
    const T *count = &b.count[block], *slope = &b.slope[block], *inverse_area = &b.inverse_area[block];
    PTFAST_LANES
    for (int64_t j = 0; j < kBlock; ++j) {
      const T common = kAllVisible ? count[j] : count[j] * weight[j];
      const T dx = common != T(0) ? x - other_x[j] : T(0), dy = common != T(0) ? y - other_y[j] : T(0);
      const T each = slope[j] * oks_term(dx, dy, factor * inverse_area[j]) * factor;
      sum_x[j] += each * dx;
      sum_y[j] += each * dy;
    }
  }
  for (int64_t j = 0; j < kBlock; ++j) {
    grad[0] += sum_x[j];
    grad[1] += sum_y[j];
  }
}

// Rows [begin, end) of a problem with the other side's poses from `first` on.
template <typename T>
PTFAST_INLINE void gradient_tile(const Sides<T>& s, const T* grad_out, const T* factors, GradientColumns<T>& packed,
                                 int64_t problem, int64_t begin, int64_t end, int64_t first, T* grad) {
  const int64_t column = problem * s.other_count + first;
  const uint8_t* visible = s.other_visible == nullptr ? nullptr : s.other_visible + column * s.k;
  packed.poses.pack(s.other + column * s.k * 2, visible, s.other_count - first, s.k);
  for (int64_t row = begin; row < end; ++row) {
    const int64_t pair = problem * s.own_count * s.other_count + row % s.own_count * s.own_step + first * s.other_step;
    packed.set_row(s, grad_out + pair, row, column);
    for (const int64_t* joint = packed.joints.data(); *joint >= 0; ++joint) {
      const int64_t k = *joint, place = (row * s.k + k) * 2;
      if (factors[k] == kOksSteepest<T>) continue;
      if (packed.poses.all_visible)
        gradient_of_joint<T, true>(packed, k, s.own[place], s.own[place + 1], factors[k], grad + place);
      else
        gradient_of_joint<T, false>(packed, k, s.own[place], s.own[place + 1], factors[k], grad + place);
    }
  }
}

// Tiles [begin, end) of the batch, numbered as in oks_cpu.cpp. A row's sum runs over the other side's poses in one
// order, so it does not depend on the number of threads.
template <typename T>
PTFAST_INLINE void gradient_tiles(const Sides<T>& s, const T* grad_out, const T* factors, T* grad, int64_t begin,
                                  int64_t end) {
  static thread_local GradientColumns<T> packed;
  const int64_t row_blocks = (s.own_count + kRows - 1) / kRows;
  for (int64_t tile = begin; tile < end; ++tile) {
    const int64_t problem = tile / row_blocks, first_row = problem * s.own_count + tile % row_blocks * kRows;
    const int64_t last_row = std::min(first_row + kRows, (problem + 1) * s.own_count);
    std::fill(grad + first_row * s.k * 2, grad + last_row * s.k * 2, T(0));
    for (int64_t first = 0; first < s.other_count; first += kColumns)
      gradient_tile(s, grad_out, factors, packed, problem, first_row, last_row, first, grad);
  }
}

PTFAST_CLONES void run_tiles(const Sides<float>& s, const float* grad_out, const float* factors, float* grad,
                             int64_t begin, int64_t end) {
  gradient_tiles(s, grad_out, factors, grad, begin, end);
}
PTFAST_CLONES void run_tiles(const Sides<double>& s, const double* grad_out, const double* factors, double* grad,
                             int64_t begin, int64_t end) {
  gradient_tiles(s, grad_out, factors, grad, begin, end);
}

template <typename T>
void gradient(const Sides<T>& s, int64_t batch, const T* grad_out, const T* factors, T* grad) {
  const int64_t tiles = batch * ((s.own_count + kRows - 1) / kRows);
  const int64_t terms_a_tile = std::max<int64_t>(1, std::min(s.own_count, kRows) * s.other_count * s.k);
  parallel_for(tiles, std::max<int64_t>(1, 200000 / terms_a_tile),
               [&](int64_t begin, int64_t end) { run_tiles(s, grad_out, factors, grad, begin, end); });
}

}  // namespace

template <typename T>
void oks_matrix_backward_cpu(const T* grad_out, const OksInputs<T>& in, T* grad_a, T* grad_b) {
  std::vector<T> factors(in.shape.k);
  for (int64_t k = 0; k < in.shape.k; ++k) factors[k] = oks_factor(in.sigmas[k]);
  gradient(Sides<T>(in, false), in.shape.batch, grad_out, factors.data(), grad_a);
  gradient(Sides<T>(in, true), in.shape.batch, grad_out, factors.data(), grad_b);
}

template void oks_matrix_backward_cpu(const float*, const OksInputs<float>&, float*, float*);
template void oks_matrix_backward_cpu(const double*, const OksInputs<double>&, double*, double*);

}  // namespace ptfast
