#pragma once
// Heatmaps as a warp, or several, read them: as they are, or averaged with the mirrored image's.
#include <algorithm>

#include "heatmap/heatmap_math.h"

namespace ptfast {

// The highest value so far and its place in the map. NaN never takes part.
template <typename Real>
struct Peak {
  Real value;
  int64_t place;

  // In the order of places, where a later one must be higher.
  __device__ __forceinline__ void add(Real other, int64_t other_place) {
    if (other > value) {
      value = other;
      place = other_place;
    }
  }

  // In any order.
  __device__ __forceinline__ void add_any(Real other, int64_t other_place) {
    if (other > value || (other == value && other_place < place)) {
      value = other;
      place = other_place;
    }
  }
};

// 16 bytes of a map, one load.
template <typename T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T values[kSize];

  __device__ __forceinline__ PeakReal<T> highest() const {
    PeakReal<T> best = kLowest<PeakReal<T>>;
    for (int i = 0; i < kSize; ++i) best = widen(values[i]) > best ? widen(values[i]) : best;
    return best;
  }
};

template <typename T>
struct PlainMap {
  using Real = PeakReal<T>;
  const T* __restrict__ pixels;  // [height, width]
  int64_t height, width;

  __device__ __forceinline__ T at(int64_t x, int64_t y) const { return pixels[y * width + x]; }

  // The highest of the pixels that fall to `lane` of `lanes`. The place is that of a load of 16 bytes, which holds the
  // value. Four loads are under way at a time, since one alone would leave the lane waiting for memory. Pixels before
  // the first multiple of 16 bytes, and after the last, are read one by one.
  __device__ __forceinline__ void scan(int lane, int lanes, Peak<Real>& best) const {
    constexpr int kSize = Pack<T>::kSize;
    const int64_t n = height * width, unaligned = reinterpret_cast<uintptr_t>(pixels) / sizeof(T) % kSize;
    const int64_t head = unaligned == 0 ? 0 : (kSize - unaligned < n ? kSize - unaligned : n);
    if (lane < head) best.add(widen(pixels[lane]), lane);
    const auto* packs = reinterpret_cast<const Pack<T>*>(pixels + head);
    const int64_t count = (n - head) / kSize, tail = head + count * kSize + lane;
    int64_t i = lane;
    for (; i + 3 * lanes < count; i += 4 * lanes) {
      const Pack<T> a = packs[i], b = packs[i + lanes], c = packs[i + 2 * lanes], d = packs[i + 3 * lanes];
      best.add(a.highest(), head + i * kSize);
      best.add(b.highest(), head + (i + lanes) * kSize);
      best.add(c.highest(), head + (i + 2 * lanes) * kSize);
      best.add(d.highest(), head + (i + 3 * lanes) * kSize);
    }
    for (; i < count; i += lanes) {
      const Pack<T> a = packs[i];
      best.add(a.highest(), head + i * kSize);
    }
    if (tail < n) best.add(widen(pixels[tail]), tail);
  }
};

template <typename T>
struct PlainMaps {
  using Real = PeakReal<T>;
  const T* maps;
  int64_t height, width;

  explicit PlainMaps(const HeatmapInputs<T>& in) : maps(in.heatmaps), height(in.height), width(in.width) {}

  __device__ PlainMap<T> map(int64_t m) const { return {maps + m * height * width, height, width}; }
};

template <typename T>
struct AveragedMap {
  using Real = PeakReal<T>;
  const T* __restrict__ pixels;    // [height, width]
  const T* __restrict__ mirrored;  // [height, width] the partner's, in the mirrored image
  int64_t height, width;
  bool shift;

  __device__ __forceinline__ T at(int64_t x, int64_t y) const { return mean(y * width + x, x); }

  // Calls f(value, place) for the pixels that fall to `lane` of `lanes`, in the order of their places. The column is
  // carried along, which spares a division a pixel. Again four loads are under way at a time.
  template <typename F>
  __device__ __forceinline__ void each(int lane, int lanes, F f) const {
    const int64_t n = height * width, step = lanes % width;
    int64_t i = lane, x = lane % width;
    const auto next = [&] {
      const T value = mean(i, x);
      i += lanes;
      x += step < width - x ? step : step - width;
      return value;
    };
    while (i + 3 * lanes < n) {
      const int64_t first = i;
      const T a = next(), b = next(), c = next(), d = next();
      f(a, first);
      f(b, first + lanes);
      f(c, first + 2 * lanes);
      f(d, first + 3 * lanes);
    }
    while (i < n) {
      const int64_t place = i;
      f(next(), place);
    }
  }

  __device__ __forceinline__ void scan(int lane, int lanes, Peak<Real>& best) const {
    each(lane, lanes, [&best](T value, int64_t place) { best.add(widen(value), place); });
  }

 private:
  __device__ __forceinline__ T mean(int64_t place, int64_t x) const {
    return flip_mean(pixels[place], mirrored[place - x + mirrored_column(x, width, shift)]);
  }
};

// The partners go to the device with the kernel's arguments: a separate copy could not be captured in a graph.
template <typename T>
struct AveragedMaps {
  using Real = PeakReal<T>;
  const T* maps;
  const T* flipped;
  int64_t height, width, joints;
  bool shift;
  int16_t partners[kMaxJoints];

  explicit AveragedMaps(const HeatmapInputs<T>& in)
      : maps(in.heatmaps), flipped(in.flipped), height(in.height), width(in.width), joints(in.joints), shift(in.shift) {
    std::copy_n(in.partners, in.joints, partners);
  }

  __device__ AveragedMap<T> map(int64_t m) const {
    const int64_t pixels = height * width, joint = m % joints;
    return {maps + m * pixels, flipped + (m - joint + partners[joint]) * pixels, height, width, shift};
  }
};

}  // namespace ptfast
