#pragma once
#include <cmath>
#include <cstdint>

#include "common/host_device.h"

namespace ptfast {

// The mean of a bin's bilinear samples is a product of two sums, one along each axis: every rule (a sample more than a
// pixel outside counts nothing, one less far out is clamped, the mean's denominator) speaks of one axis at a time. So
// each axis of a RoI is a short list of taps a bin, and out = Wy F Wx^T.

// A feature row or column and its share in a bin.
template <typename T>
struct Tap {
  int32_t index;
  T weight;
};

// One axis of one RoI, in feature pixels.
template <typename T>
struct RoiAxis {
  T start, bin;     // where the first bin begins, and how long a bin is
  int64_t samples;  // in each bin; 0: the bins are empty
};

// The axis of a box from `low` to `high` in image pixels, cut into `bins`. sampling_ratio 0 takes about a sample a
// pixel. aligned moves pixel centres to whole numbers, otherwise the box is at least a pixel long. A box that is not
// finite is empty.
template <typename T>
PTFAST_HD RoiAxis<T> roi_axis(T low, T high, T spatial_scale, int64_t bins, int64_t sampling_ratio, bool aligned) {
  const T offset = aligned ? T(0.5) : T(0);
  const T start = low * spatial_scale - offset, end = high * spatial_scale - offset;
  T length = end - start;
  if (!(length - length == T(0)) || !(start - start == T(0))) return {T(0), T(0), 0};
  if (!aligned && length < T(1)) length = T(1);
  const T bin = length / static_cast<T>(bins);
  if (sampling_ratio > 0) return {start, bin, sampling_ratio};
  const T samples = std::ceil(bin), limit = T(1 << 20);  // in a bin larger than any image they lie farther apart
  return {start, bin, samples > T(0) ? static_cast<int64_t>(samples < limit ? samples : limit) : 0};
}

// The place of sample i of bin p, with torchvision's order of operations: at the border a last bit decides.
template <typename T>
PTFAST_HD T sample_position(const RoiAxis<T>& axis, int64_t p, int64_t i) {
  return axis.start + static_cast<T>(p) * axis.bin +
         (static_cast<T>(i) + T(0.5)) * axis.bin / static_cast<T>(axis.samples);
}

// The samples of bin p that can lie on an axis of `size` pixels: [first, last).
struct SampleRange {
  int64_t first, last;
};

template <typename T>
PTFAST_HD SampleRange samples_inside(const RoiAxis<T>& axis, int64_t p, int64_t size) {
  constexpr int64_t kFew = 64;
  if (axis.samples <= kFew || !(axis.bin > T(0))) return {0, axis.samples};
  // A box far larger than the image has samples without number outside it. Some are spared for rounding.
  const T step = axis.bin / static_cast<T>(axis.samples), origin = axis.start + static_cast<T>(p) * axis.bin;
  T low = (T(-1) - origin) / step, high = (static_cast<T>(size) - origin) / step;
  low -= T(2) + T(1e-6) * std::abs(low);
  high += T(2) + T(1e-6) * std::abs(high);
  const T limit = static_cast<T>(axis.samples);
  const T first = low > T(0) ? (low < limit ? low : limit) : T(0), last = high > T(0) ? high : T(0);
  return {static_cast<int64_t>(first), last < limit ? static_cast<int64_t>(last) + 1 : axis.samples};
}

// Calls visit(pixel, weight) for the two pixels, or the one at the end, that each sample of bin p lies between on an
// axis of `size` pixels.
template <typename T, typename F>
PTFAST_HD void visit_samples(const RoiAxis<T>& axis, int64_t p, int64_t size, const F& visit) {
  if (size <= 0) return;
  const T share = T(1) / static_cast<T>(axis.samples > 0 ? axis.samples : 1);
  const SampleRange range = samples_inside(axis, p, size);
  for (int64_t i = range.first; i < range.last; ++i) {
    T place = sample_position(axis, p, i);
    if (!(place >= T(-1) && place <= static_cast<T>(size))) continue;
    place = place > T(0) ? place : T(0);
    const int64_t low = static_cast<int64_t>(place);
    if (low >= size - 1) {
      visit(size - 1, share);
      continue;
    }
    const T fraction = place - static_cast<T>(low);
    visit(low, (T(1) - fraction) * share);
    visit(low + 1, fraction * share);
  }
}

// Writes the taps of bin p on an axis of `size` pixels and returns their number. A pixel among the last two, as for
// samples in ascending order, is not listed again. taps: [max_taps]
template <typename T>
PTFAST_HD int64_t bin_taps(const RoiAxis<T>& axis, int64_t p, int64_t size, Tap<T>* taps) {
  int64_t count = 0;
  visit_samples(axis, p, size, [taps, &count](int64_t index, T weight) {
    for (int64_t k = count - 1; k >= 0 && k >= count - 2; --k) {
      if (taps[k].index != index) continue;
      taps[k].weight += weight;
      return;
    }
    taps[count++] = {static_cast<int32_t>(index), weight};
  });
  return count;
}

// An upper bound of the taps of one bin. Samples go one way along the axis, so that each pixel is met in one run, or in
// two where the direction is downwards and pairs are listed upwards.
PTFAST_HD int64_t max_taps(int64_t size, int64_t sampling_ratio) {
  const int64_t pixels = 2 * size + 2;
  return sampling_ratio > 0 && 2 * sampling_ratio < pixels ? 2 * sampling_ratio : pixels;
}

// An upper bound of the taps of all bins of an axis together.
PTFAST_HD int64_t max_axis_taps(int64_t size, int64_t bins, int64_t sampling_ratio) {
  return sampling_ratio > 0 ? max_taps(size, sampling_ratio) * bins : size + 4 * bins + 4;
}

}  // namespace ptfast
