#include <algorithm>
#include <vector>

#include "common/parallel.h"
#include "common/simd.h"
#include "heatmap/heatmap.h"
#include "heatmap/heatmap_math.h"
#include "heatmap/peak.h"
#include "heatmap/taylor.h"

namespace ptfast {
namespace {

constexpr int64_t kGrain = 1 << 20;  // values that are worth a thread

// Peak and score of one map, with the peak refined.
// map: [height, width], coordinates: [2], score: [1]
template <typename T>
PTFAST_INLINE void decode(const T* map, int64_t height, int64_t width, Refinement refine, const Gaussian& blur,
                          PeakReal<T>* coordinates, PeakReal<T>* score) {
  using Real = PeakReal<T>;
  const int64_t place = peak_of(map, height * width), x = place % width, y = place / width;
  const T* peak = map + place;
  *score = widen(*peak);
  coordinates[0] = Real(x);
  coordinates[1] = Real(y);
  if (!(*score > Real(0))) return;
  if (refine == Refinement::kQuarter && inside_for_quarter(x, width) && inside_for_quarter(y, height)) {
    coordinates[0] += quarter_offset(widen(peak[-1]), widen(peak[1]));
    coordinates[1] += quarter_offset(widen(peak[-width]), widen(peak[width]));
  }
  if (refine == Refinement::kTaylor && inside_for_taylor(x, width) && inside_for_taylor(y, height)) {
    const Offset offset = taylor_of_map(map, height, width, x, y, double(*score), blur);
    coordinates[0] = Real(double(x) + offset.x);
    coordinates[1] = Real(double(y) + offset.y);
  }
}

// A block of columns. mirrored points to the mirrored map's column for the first of them and is read backwards.
template <typename T>
PTFAST_INLINE void average_block(const T* row, const T* mirrored, T* __restrict__ out) {
  PTFAST_LANES
  for (int64_t j = 0; j < kBlock; ++j) out[j] = flip_mean(row[j], mirrored[-j]);
}

// Map m averaged with its mirrored partner. Rows are too short for a remainder one by one, so the last full block of
// columns overlaps the one before. Column 0, whose partner a shift does not move, is done by itself.
// out: [height, width]
template <typename T>
PTFAST_INLINE void average_map(const HeatmapInputs<T>& in, int64_t m, T* out) {
  const int64_t joint = m % in.joints, w = in.width;
  const T* row = in.heatmaps + m * in.height * w;
  const T* mirrored = in.flipped + (m - joint + in.partners[joint]) * in.height * w;
  for (int64_t y = 0; y < in.height; ++y, row += w, mirrored += w, out += w) {
    const T* first = mirrored + w - 1 + in.shift;  // column 0's partner if there were no border
    int64_t x = 1;
    for (; x + kBlock <= w; x += kBlock) average_block(row + x, first - x, out + x);
    if (x < w && w > kBlock) average_block(row + w - kBlock, first - w + kBlock, out + w - kBlock);
    if (w <= kBlock)
      for (; x < w; ++x) out[x] = flip_mean(row[x], first[-x]);
    out[0] = flip_mean(row[0], mirrored[mirrored_column(0, w, in.shift)]);
  }
}

// Maps [begin, end). An average is written to a buffer of one map and decoded from there, while the first-level cache
// still holds it.
template <typename T>
PTFAST_INLINE void decode_maps(const HeatmapInputs<T>& in, Refinement refine, const Gaussian& blur,
                               PeakReal<T>* coordinates, PeakReal<T>* scores, int64_t begin, int64_t end) {
  static thread_local std::vector<T> averaged;
  const int64_t pixels = in.height * in.width;
  if (in.flipped != nullptr) averaged.resize(pixels);
  for (int64_t m = begin; m < end; ++m) {
    const T* map = in.heatmaps + m * pixels;
    if (in.flipped != nullptr) {
      average_map(in, m, averaged.data());
      map = averaged.data();
    }
    decode(map, in.height, in.width, refine, blur, coordinates + 2 * m, scores + m);
  }
}

template <typename T>
PTFAST_INLINE void average_maps(const HeatmapInputs<T>& in, T* out, int64_t begin, int64_t end) {
  for (int64_t m = begin; m < end; ++m) average_map(in, m, out + m * in.height * in.width);
}

#define PTFAST_HEATMAP_CLONES(T)                                                                             \
  PTFAST_CLONES void run_decode(const HeatmapInputs<T>& in, Refinement refine, const Gaussian& blur,         \
                                PeakReal<T>* coordinates, PeakReal<T>* scores, int64_t begin, int64_t end) { \
    decode_maps(in, refine, blur, coordinates, scores, begin, end);                                          \
  }                                                                                                          \
  PTFAST_CLONES void run_average(const HeatmapInputs<T>& in, T* out, int64_t begin, int64_t end) {           \
    average_maps(in, out, begin, end);                                                                       \
  }
PTFAST_HEATMAP_CLONES(float)
PTFAST_HEATMAP_CLONES(double)
PTFAST_HEATMAP_CLONES(Half)
PTFAST_HEATMAP_CLONES(BFloat16)

template <typename T>
int64_t grain(const HeatmapInputs<T>& in) {
  return std::max<int64_t>(1, kGrain / (in.height * in.width));
}

}  // namespace

template <typename T>
void heatmap_peaks_cpu(const HeatmapInputs<T>& in, Refinement refine, int blur_kernel, PeakReal<T>* coordinates,
                       PeakReal<T>* scores) {
  const Gaussian blur(blur_kernel);
  parallel_for(in.maps, grain(in),
               [&](int64_t begin, int64_t end) { run_decode(in, refine, blur, coordinates, scores, begin, end); });
}

template <typename T>
void flip_average_cpu(const HeatmapInputs<T>& in, T* out) {
  parallel_for(in.maps, grain(in), [&](int64_t begin, int64_t end) { run_average(in, out, begin, end); });
}

#define PTFAST_HEATMAP_CPU(T)                                                                            \
  template void heatmap_peaks_cpu(const HeatmapInputs<T>&, Refinement, int, PeakReal<T>*, PeakReal<T>*); \
  template void flip_average_cpu(const HeatmapInputs<T>&, T*);
PTFAST_HEATMAP_CPU(float)
PTFAST_HEATMAP_CPU(double)
PTFAST_HEATMAP_CPU(Half)
PTFAST_HEATMAP_CPU(BFloat16)

}  // namespace ptfast
