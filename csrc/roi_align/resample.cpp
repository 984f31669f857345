#include "roi_align/resample.h"

#include <algorithm>
#include <cstdint>
#include <type_traits>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include "common/simd.h"

namespace ptfast {
namespace {

constexpr int64_t kBand = 256;     // channels at a time, so that rows at hand stay in the caches
constexpr int64_t kUnrolled = 64;  // channels in a loop of constant length
constexpr int64_t kMaxTaps = 4;    // that are summed in one go, as many as two samples a bin have

// Stores 16 bytes past the caches. out is 16-byte aligned.
PTFAST_INLINE void store_streaming(float* out, const float* values) {
#if defined(__x86_64__)
  _mm_stream_ps(out, _mm_loadu_ps(values));
#else
  std::copy(values, values + 4, out);
#endif
}

PTFAST_INLINE void store_streaming(double* out, const double* values) {
#if defined(__x86_64__)
  _mm_stream_pd(out, _mm_loadu_pd(values));
#else
  std::copy(values, values + 2, out);
#endif
}

// Up to kMaxTaps runs of channels with their weights.
template <typename T>
struct Runs {
  const T* data[kMaxTaps];
  T weights[kMaxTaps];
};

// sums = the weighted sum of kTaps runs, from channel c on. kTaps is known to the compiler, so that the inner loop is
// unrolled and the outer one vectorised over channels.
template <int kTaps, typename T>
PTFAST_INLINE void weigh_block(const Runs<T>& runs, int64_t c, int64_t n, bool add, T* __restrict__ sums) {
  for (int64_t i = 0; i < n; ++i) {
    T sum = runs.weights[0] * runs.data[0][c + i];
    for (int k = 1; k < kTaps; ++k) sum += runs.weights[k] * runs.data[k][c + i];
    sums[i] = add ? sums[i] + sum : sum;
  }
}

template <int kTaps, typename T>
PTFAST_INLINE void weigh(const Runs<T>& runs, int64_t n, Store store, T* to) {
  int64_t c = 0;
  for (; c + kUnrolled <= n; c += kUnrolled) {
    if (store != Store::kStreaming) {
      weigh_block<kTaps>(runs, c, kUnrolled, store == Store::kAdd, to + c);
      continue;
    }
    T values[kUnrolled];
    weigh_block<kTaps>(runs, c, kUnrolled, false, values);
    for (int64_t i = 0; i < kUnrolled; i += 16 / sizeof(T)) store_streaming(to + c + i, values + i);
  }
  if (c < n) weigh_block<kTaps>(runs, c, n - c, store == Store::kAdd, to + c);
}

// Number of resampled rows that must be at hand at once: the widest range of rows that one target reads.
template <typename T>
int64_t ring_size(const AxisTaps<T>& y) {
  int64_t size = 1;
  for (int64_t p = 0; p < y.size(); ++p) {
    int64_t low = INT64_MAX, high = 0;
    for (int64_t k = y.first[p]; k < y.first[p + 1]; ++k) {
      low = std::min<int64_t>(low, y.taps[k].index);
      high = std::max<int64_t>(high, y.taps[k].index);
    }
    size = std::max(size, high - low + 1);
  }
  return size;
}

// Calls body(runs, kTaps, store) for at most kMaxTaps taps at a time, where source(place) is a tap's run. Further
// groups of taps add to the first.
template <typename T, typename F, typename G>
PTFAST_INLINE void in_groups(const Tap<T>* taps, int64_t count, Store store, const F& source, const G& body) {
  if (count > kMaxTaps && store == Store::kStreaming) store = Store::kPlain;
  do {
    Runs<T> runs;
    const int64_t size = std::min(count, kMaxTaps);
    for (int64_t k = 0; k < size; ++k) runs.data[k] = source(taps[k].index), runs.weights[k] = taps[k].weight;
    switch (size) {
      case 1:
        body(runs, std::integral_constant<int, 1>(), store);
        break;
      case 2:
        body(runs, std::integral_constant<int, 2>(), store);
        break;
      case 3:
        body(runs, std::integral_constant<int, 3>(), store);
        break;
      default:
        body(runs, std::integral_constant<int, 4>(), store);
        break;
    }
    count -= size, taps += size, store = Store::kAdd;
  } while (count > 0);
}

// Source row `place` at all of x's targets. row: [targets, kBand]
template <typename T>
PTFAST_INLINE void resample_row(const Plane<const T>& from, const AxisTaps<T>& y, const AxisTaps<T>& x, int64_t place,
                                int64_t n, T* row) {
  const T* source = from.data + y.sources[place] * from.row;
  const auto pixel = [&](int32_t column) { return source + x.sources[column] * from.pixel; };
  for (int64_t q = 0; q < x.size(); ++q) {
    T* to = row + q * kBand;
    const int64_t count = x.first[q + 1] - x.first[q];
    if (count == 0)
      std::fill(to, to + n, T(0));
    else
      in_groups(&x.taps[x.first[q]], count, Store::kPlain, pixel,
                [&](const Runs<T>& runs, auto taken, Store store) { weigh<taken>(runs, n, store, to); });
  }
}

// Target row p from the resampled rows. to: [targets, channels] by strides
template <typename T>
PTFAST_INLINE void resample_column(const AxisTaps<T>& y, const AxisTaps<T>& x, int64_t p, const T* ring, int64_t slots,
                                   int64_t n, T* to, int64_t pixel, Store store) {
  const int64_t width = x.size(), count = y.first[p + 1] - y.first[p];
  if (count == 0 && store == Store::kAdd) return;
  if (count == 0) {
    for (int64_t q = 0; q < width; ++q) std::fill(to + x.targets[q] * pixel, to + x.targets[q] * pixel + n, T(0));
    return;
  }
  const auto row = [&](int32_t place) { return ring + place % slots * width * kBand; };
  in_groups(&y.taps[y.first[p]], count, store, row, [&](const Runs<T>& first, auto taken, Store how) {
    Runs<T> runs = first;
    for (int64_t q = 0; q < width; ++q) {
      weigh<taken>(runs, n, how, to + x.targets[q] * pixel);
      for (int k = 0; k < taken; ++k) runs.data[k] += kBand;
    }
  });
}

// One band of channels. Each source row is resampled along x once, when the first target row needs it, into a ring of
// rows. Places rise from target to target, so a slot is free again by the time its next row arrives.
template <typename T>
PTFAST_INLINE void resample_band(const Plane<const T>& from, const AxisTaps<T>& y, const AxisTaps<T>& x, int64_t n,
                                 const Plane<T>& to, Store store, T* ring, int64_t slots) {
  int64_t done = 0;  // source rows resampled so far
  for (int64_t p = 0; p < y.size(); ++p) {
    for (int64_t k = y.first[p]; k < y.first[p + 1]; ++k)
      for (; done <= y.taps[k].index; ++done) resample_row(from, y, x, done, n, ring + done % slots * x.size() * kBand);
    resample_column(y, x, p, static_cast<const T*>(ring), slots, n, to.data + y.targets[p] * to.row, to.pixel, store);
  }
}

template <typename T>
PTFAST_INLINE void resample_bands(const Plane<const T>& from, const AxisTaps<T>& y, const AxisTaps<T>& x,
                                  int64_t channels, const Plane<T>& to, Store store, T* ring, int64_t slots) {
  for (int64_t c = 0; c < channels; c += kBand)
    resample_band(Plane<const T>{from.data + c, from.row, from.pixel}, y, x, std::min(kBand, channels - c),
                  Plane<T>{to.data + c, to.row, to.pixel}, store, ring, slots);
}

// target_clones does not apply to templates.
PTFAST_CLONES void run(const Plane<const float>& from, const AxisTaps<float>& y, const AxisTaps<float>& x,
                       int64_t channels, const Plane<float>& to, Store store, float* ring, int64_t slots) {
  resample_bands(from, y, x, channels, to, store, ring, slots);
}
PTFAST_CLONES void run(const Plane<const double>& from, const AxisTaps<double>& y, const AxisTaps<double>& x,
                       int64_t channels, const Plane<double>& to, Store store, double* ring, int64_t slots) {
  resample_bands(from, y, x, channels, to, store, ring, slots);
}

// Weighted sums needed where rows are resampled first, each source row once.
template <typename T>
int64_t work(const AxisTaps<T>& y, const AxisTaps<T>& x) {
  return static_cast<int64_t>(y.sources.size() * x.taps.size() + y.taps.size() * x.targets.size());
}

template <typename T>
void resample_rows_first(const Plane<const T>& from, const AxisTaps<T>& y, const AxisTaps<T>& x, int64_t channels,
                         const Plane<T>& to, Store store, AlignedBuffer<T>& scratch) {
  const int64_t slots = ring_size(y);
  run(from, y, x, channels, to, store, scratch.reserve(slots * x.size() * kBand), slots);
}

}  // namespace

template <typename T>
void resample(const Plane<const T>& from, const RoiTaps<T>& taps, int64_t channels, const Plane<T>& to, Store store,
              AlignedBuffer<T>& scratch) {
  const auto whole = [](int64_t n) { return n * static_cast<int64_t>(sizeof(T)) % 16 == 0; };
  const bool aligned = reinterpret_cast<uintptr_t>(to.data) % 16 == 0 && whole(to.row) && whole(to.pixel);
  if (store == Store::kStreaming && !aligned) store = Store::kPlain;
  if (work(taps.y, taps.x) <= work(taps.x, taps.y))
    return resample_rows_first(from, taps.y, taps.x, channels, to, store, scratch);
  resample_rows_first(Plane<const T>{from.data, from.pixel, from.row}, taps.x, taps.y, channels,
                      Plane<T>{to.data, to.pixel, to.row}, store, scratch);
}

template void resample(const Plane<const float>&, const RoiTaps<float>&, int64_t, const Plane<float>&, Store,
                       AlignedBuffer<float>&);
template void resample(const Plane<const double>&, const RoiTaps<double>&, int64_t, const Plane<double>&, Store,
                       AlignedBuffer<double>&);

}  // namespace ptfast
