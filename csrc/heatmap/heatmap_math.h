#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "common/half.h"
#include "common/host_device.h"
#include "heatmap/heatmap.h"

namespace ptfast {

template <typename Real>
constexpr Real kLowest = -std::numeric_limits<Real>::infinity();

// Column of the mirrored map that is averaged with column x.
PTFAST_HD int64_t mirrored_column(int64_t x, int64_t width, bool shift) {
  return width - 1 - (shift && x > 0 ? x - 1 : x);
}

// The mean, rounded once to the maps' type, so that decoding without writing it gives the same bits.
template <typename T>
PTFAST_HD T flip_mean(T value, T mirrored) {
  T mean;
  narrow((widen(value) + widen(mirrored)) * PeakReal<T>(0.5), &mean);
  return mean;
}

// HRNet refines peaks with pixels beyond the neighbours on the low sides, but not on the high ones.
PTFAST_HD bool inside_for_quarter(int64_t x, int64_t size) { return 1 < x && x < size - 1; }
PTFAST_HD bool inside_for_taylor(int64_t x, int64_t size) { return 1 < x && x < size - 2; }

// A quarter of a pixel towards the higher of the peak's two neighbours on an axis, 0 if they are equal or NaN.
template <typename T>
PTFAST_HD T quarter_offset(T before, T after) {
  return T(after > before) * T(0.25) - T(after < before) * T(0.25);
}

// A Gaussian as OpenCV makes it of a size alone. Up to 7 taps are fixed fractions, more have the sigma
// 0.3 ((size - 1) / 2 - 1) + 0.8.
struct Gaussian {
  int radius;
  double weights[kMaxBlur];  // [2 radius + 1]

  explicit Gaussian(int size) : radius(size / 2) {
    constexpr double kFixed[3][7] = {{0.25, 0.5, 0.25},
                                     {0.0625, 0.25, 0.375, 0.25, 0.0625},
                                     {0.03125, 0.109375, 0.21875, 0.28125, 0.21875, 0.109375, 0.03125}};
    const double sigma = 0.3 * (radius - 1) + 0.8;
    double sum = 0;
    for (int i = 0; i < size; ++i) {
      const double t = (i - radius) / sigma;
      weights[i] = size <= 7 ? kFixed[radius - 1][i] : std::exp(-0.5 * t * t);
      sum += weights[i];
    }
    for (int i = 0; i < size; ++i) weights[i] /= sum;
  }
};

// The 5 x 5 pixels around a peak, row by row. The expansion reads those within two steps along the axes.
constexpr int kNear = 25, kPeak = 12;
PTFAST_HD bool in_stencil(int i) {
  const int x = i % 5 - 2, y = i / 5 - 2;
  return (x < 0 ? -x : x) + (y < 0 ? -y : y) <= 2;
}

// The blurred map is scaled to the map's own maximum, raised to kLogFloor and turned into its logarithm. A logarithm
// makes the scale an addend, which no derivative sees, unless the floor is reached: blurring cannot raise a maximum
// that is positive, so the scale is at least 1 and matters only where a blurred pixel is below the floor.
constexpr double kLogFloor = 1e-10;
PTFAST_HD bool needs_scale(double blurred) { return blurred < kLogFloor; }
PTFAST_HD double log_scaled(double blurred, double scale) {
  const double value = blurred * scale;
  return log(value < kLogFloor ? kLogFloor : value);
}

struct Offset {
  double x, y;
};

// -H^-1 g of the logarithms l around the peak, 0 where H is singular or the result not finite. l: [kNear]
PTFAST_HD Offset taylor_offset(const double* l) {
  const double dx = 0.5 * (l[kPeak + 1] - l[kPeak - 1]), dy = 0.5 * (l[kPeak + 5] - l[kPeak - 5]);
  const double dxx = 0.25 * (l[kPeak + 2] - 2 * l[kPeak] + l[kPeak - 2]);
  const double dyy = 0.25 * (l[kPeak + 10] - 2 * l[kPeak] + l[kPeak - 10]);
  const double dxy = 0.25 * (l[kPeak + 6] - l[kPeak - 4] - l[kPeak + 4] + l[kPeak - 6]);
  const double inverse = 1 / (dxx * dyy - dxy * dxy);
  const double x = (dxy * dy - dyy * dx) * inverse, y = (dxy * dx - dxx * dy) * inverse;
  const bool finite = x - x == 0 && y - y == 0;
  return {finite ? x : 0, finite ? y : 0};
}

}  // namespace ptfast
