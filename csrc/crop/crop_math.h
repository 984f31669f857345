#pragma once
#include <cmath>
#include <cstdint>

#include "common/host_device.h"
#include "crop/crop.h"

namespace ptfast {

// Places of a crop's pixels in the frame, along one axis: output pixel i at start + i * step. In double, as a float's
// 24 bits are too few for a coordinate of a thousand and its fraction.
struct CropAxis {
  double start, step;

  // The box reaches from low to high; its crop has `count` pixels.
  PTFAST_HD static CropAxis from(double low, double high, int64_t count, bool unbiased) {
    const int64_t intervals = unbiased ? count - 1 : count;
    const double step = intervals > 0 ? (high - low) / static_cast<double>(intervals) : 0.0;
    return {(low + high) * 0.5 - 0.5 * static_cast<double>(intervals) * step, step};
  }

  PTFAST_HD double source(int64_t i) const { return start + static_cast<double>(i) * step; }

  // The last output pixel at or before x, kept within [0, count], exact but for rounding.
  PTFAST_HD int64_t pixel_before(double x, int64_t count) const {
    const double i = step > 0 ? floor((x - start) / step) : 0.0;
    return i < 0 ? 0 : i < static_cast<double>(count) ? static_cast<int64_t>(i) : count;
  }

  // The output pixels of `count` that frame pixel p may count in: [first, last).
  PTFAST_HD int64_t first_with(int64_t p, int64_t count) const {
    return pixel_before(static_cast<double>(p - 1), count);
  }
  PTFAST_HD int64_t last_with(int64_t p, int64_t count) const {
    const int64_t i = pixel_before(static_cast<double>(p + 1), count);
    return i < count ? i + 1 : count;
  }
};

// True where a position is so near the `count` pixels of an axis that one of them counts. NaN is not.
PTFAST_HD bool crop_reaches(double x, int64_t count) { return x > -1 && x < static_cast<double>(count) && count > 0; }

// The two pixels beside a position, and their weights: 0 for one outside, whose index is moved inside.
template <typename T>
struct CropTap {
  int64_t low, high;
  T low_weight, high_weight;

  // x: a position that crop_reaches
  PTFAST_HD static CropTap at(double x, int64_t count) {
    const double below = floor(x);
    const int64_t pixel = static_cast<int64_t>(below);
    const T fraction = static_cast<T>(x - below);
    const bool first = pixel < 0, last = pixel + 1 >= count;
    return {first ? 0 : pixel, last ? count - 1 : pixel + 1, first ? T(0) : T(1) - fraction, last ? T(0) : fraction};
  }

  // Weight of pixel p at x, the same as in at(x).
  PTFAST_HD static T weight(double x, int64_t p) {
    const double distance = x - static_cast<double>(p);
    const T weight = T(1) - static_cast<T>(distance < 0 ? -distance : distance);
    return weight > T(0) ? weight : T(0);
  }
};

// One box of a tube: its frame, or -1 where the crop is black, and the places of its crop's pixels in that frame.
struct CropBox {
  int64_t frame;
  CropAxis x, y;

  // crop: as in CropOrder
  template <typename P>
  PTFAST_HD static CropBox from(const CropInputs<P>& in, int64_t crop) {
    const auto& s = in.shape;
    const CropReal<P>* box = in.tubes + crop * 4;
    const double x1 = box[0], y1 = box[1], x2 = box[2], y2 = box[3];
    const bool valid = x2 > x1 && y2 > y1;  // false for NaN; an infinite box reaches no pixel
    const int64_t frame = in.frame_index[crop];
    return {valid && frame >= 0 && frame < s.frames ? frame : -1, CropAxis::from(x1, x2, s.crop_width, in.unbiased),
            CropAxis::from(y1, y2, s.crop_height, in.unbiased)};
  }
};

// (value / 255 - mean) / std as value * scale + black.
template <typename T>
struct CropColours {
  T scale[3], black[3];

  template <typename P>
  static CropColours from(const CropInputs<P>& in) {
    CropColours result;
    for (int c = 0; c < 3; ++c) {
      result.scale[c] = static_cast<T>(1 / (255 * in.std[c]));
      result.black[c] = static_cast<T>(-in.mean[c] / in.std[c]);
    }
    return result;
  }
};

}  // namespace ptfast
