#include "roi_align/taps.h"

#include <algorithm>
#include <numeric>

namespace ptfast {
namespace {

// Gives every pixel that a tap touches a place, looked for among the last few alone, and makes the tap name the place.
// A pixel that is met again much later gets a second place, which costs time and nothing else.
template <typename T>
void assign_places(std::vector<Tap<T>>& taps, std::vector<int64_t>& sources) {
  constexpr int64_t kLast = 4;
  sources.clear();
  for (Tap<T>& tap : taps) {
    int64_t place = static_cast<int64_t>(sources.size()) - 1;
    const int64_t end = std::max<int64_t>(-1, place - kLast);
    while (place > end && sources[place] != tap.index) --place;
    if (place == end) {
      place = static_cast<int64_t>(sources.size());
      sources.push_back(tap.index);
    }
    tap.index = static_cast<int32_t>(place);
  }
}

template <typename T>
void find_axis(const RoiAxis<T>& axis, int64_t bins, int64_t size, int64_t sampling_ratio, AxisTaps<T>& out) {
  out.first.resize(bins + 1);
  out.targets.resize(bins);
  std::iota(out.targets.begin(), out.targets.end(), int64_t{0});
  int64_t count = 0;
  for (int64_t p = 0; p < bins; ++p) {
    out.taps.resize(count + max_taps(size, sampling_ratio));
    out.first[p] = count;
    count += bin_taps(axis, p, size, out.taps.data() + count);
  }
  out.first[bins] = count;
  out.taps.resize(count);
  assign_places(out.taps, out.sources);
}

// A counting sort of the taps by their source.
template <typename T>
void transpose_axis(const AxisTaps<T>& axis, AxisTaps<T>& out) {
  const size_t places = axis.sources.size();
  out.targets = axis.sources;
  out.sources = axis.targets;
  out.first.assign(places + 1, 0);
  for (const Tap<T>& tap : axis.taps) ++out.first[tap.index + 1];
  for (size_t i = 0; i < places; ++i) out.first[i + 1] += out.first[i];
  out.taps.resize(axis.taps.size());
  for (int64_t p = axis.size() - 1; p >= 0; --p)
    for (int64_t k = axis.first[p]; k < axis.first[p + 1]; ++k)
      out.taps[--out.first[axis.taps[k].index + 1]] = {static_cast<int32_t>(p), axis.taps[k].weight};
  // Each first[i + 1] is now the beginning of place i.
  for (size_t i = 0; i < places; ++i) out.first[i] = out.first[i + 1];
  out.first[places] = static_cast<int64_t>(axis.taps.size());
}

}  // namespace

template <typename T>
void find_taps(const T* box, const RoiGrid& g, RoiTaps<T>& taps) {
  const T scale = static_cast<T>(g.spatial_scale);
  find_axis(roi_axis(box[1], box[3], scale, g.rows, g.sampling_ratio, g.aligned), g.rows, g.height, g.sampling_ratio,
            taps.y);
  find_axis(roi_axis(box[0], box[2], scale, g.columns, g.sampling_ratio, g.aligned), g.columns, g.width,
            g.sampling_ratio, taps.x);
}

template <typename T>
void transpose_taps(const RoiTaps<T>& taps, RoiTaps<T>& transposed) {
  transpose_axis(taps.y, transposed.y);
  transpose_axis(taps.x, transposed.x);
}

template void find_taps(const float*, const RoiGrid&, RoiTaps<float>&);
template void find_taps(const double*, const RoiGrid&, RoiTaps<double>&);
template void transpose_taps(const RoiTaps<float>&, RoiTaps<float>&);
template void transpose_taps(const RoiTaps<double>&, RoiTaps<double>&);

}  // namespace ptfast
