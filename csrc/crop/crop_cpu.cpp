#include <algorithm>
#include <cstring>
#include <vector>

#include "common/memory.h"
#include "common/parallel.h"
#include "common/simd.h"
#include "crop/crop.h"
#include "crop/crop_columns.h"
#include "crop/crop_math.h"

namespace ptfast {
namespace {

constexpr int64_t kWork = 100000;  // output pixels that are worth a thread

// A row of the frame resampled at the columns.
// row: [width, 3], line: [3, count]
template <typename P>
PTFAST_INLINE void blend_columns(const P* row, const CropColumns<P>& columns, int64_t count, P* line) {
  for (int64_t i = columns.begin; i < columns.end; ++i) {
    const P *low = row + columns.low[i], *high = row + columns.high[i];
    for (int64_t c = 0; c < 3; ++c)
      line[c * count + i] = low[c] * columns.low_weight[i] + high[c] * columns.high_weight[i];
  }
}

PTFAST_INLINE float byte_of(uint32_t bits, int shift) {
  return static_cast<float>(static_cast<int32_t>(bits >> shift & 255));
}

// blend_columns for bytes. Eight of them hold a pair of RGB pixels, which one load fetches and shifts take apart, by a
// little-endian processor's order. So the loop is made of gathers and shifts, which vectorise, unlike loads of bytes.
PTFAST_INLINE void blend_columns(const uint8_t* row, const CropColumns<uint8_t>& columns, int64_t count,
                                 float* __restrict__ line) {
  const int32_t* offset = columns.low.data();
  const float *low = columns.low_weight.data(), *high = columns.high_weight.data();
  for (int64_t i = columns.begin; i < columns.end; ++i) {
    uint64_t pair;
    std::memcpy(&pair, row + offset[i], sizeof pair);
    const auto first = static_cast<uint32_t>(pair), second = static_cast<uint32_t>(pair >> 32);
    line[i] = byte_of(first, 0) * low[i] + byte_of(first, 24) * high[i];
    line[count + i] = byte_of(first, 8) * low[i] + byte_of(second, 0) * high[i];
    line[2 * count + i] = byte_of(first, 16) * low[i] + byte_of(second, 8) * high[i];
  }
}

// State of a thread between the rows of a crop: the taps of its columns and the last two rows of the frame resampled at
// them. An enlarged crop reads the same two rows for many output rows, which then cost one weighted sum each.
template <typename P>
struct CropScratch {
  using T = CropReal<P>;
  CropColumns<P> columns;
  std::vector<T> lines[2];     // [3, crop_width] each, of the rows of an even and an odd number
  int64_t rows[2] = {-1, -1};  // their numbers
  std::vector<P> padded;       // a row with room behind it

  PTFAST_INLINE void start(const CropInputs<P>& in, const CropBox& box) {
    columns.fill(box.x, in.shape.crop_width, in.shape.width);
    if (std::is_same<P, uint8_t>::value) columns.pair_up();
    rows[0] = rows[1] = -1;
    for (auto& line : lines) line.resize(3 * in.shape.crop_width);
  }

  // Row y of the frame resampled at the columns: [3, crop_width]
  PTFAST_INLINE const T* line(const CropInputs<P>& in, int64_t frame, int64_t y) {
    T* result = lines[y % 2].data();
    if (rows[y % 2] == y) return result;
    rows[y % 2] = y;
    blend_columns(readable(in, frame * in.shape.height + y), columns, in.shape.crop_width, result);
    return result;
  }

  // Asks for the frame's rows that output row y needs. The processor does not foresee strides of a whole row.
  PTFAST_INLINE void prefetch(const CropInputs<P>& in, const CropBox& box, int64_t y) const {
    const double source = box.y.source(y);
    if (columns.begin == columns.end || !crop_reaches(source, in.shape.height)) return;
    const auto tap = CropTap<T>::at(source, in.shape.height);
    for (const int64_t row : {tap.low, tap.high}) {
      const P* values = in.frames + (box.frame * in.shape.height + row) * in.shape.width * 3;
      for (int64_t i = columns.low[columns.begin]; i < columns.high[columns.end - 1] + 3; i += 64 / sizeof(P))
        __builtin_prefetch(values + i);
    }
  }

 private:
  // A row of all frames whose last pair has eight bytes that may be read: a copy where the frames' memory ends before.
  PTFAST_INLINE const P* readable(const CropInputs<P>& in, int64_t index) {
    const int64_t length = 3 * in.shape.width, total = in.shape.frames * in.shape.height * length;
    const P* row = in.frames + index * length;
    if (!std::is_same<P, uint8_t>::value || (index + 1) * length + 8 <= total) return row;
    padded.resize(length + 8);
    std::copy_n(row, length, padded.begin());
    return padded.data();
  }
};

// Row y of a crop. plane: the row in the crop's first channel, `distance` values between channels
template <typename P>
PTFAST_INLINE void crop_row(const CropInputs<P>& in, const CropBox& box, int64_t y,
                            const CropColours<CropReal<P>>& colours, CropScratch<P>& scratch,
                            CropReal<P>* __restrict__ plane, int64_t distance) {
  using T = CropReal<P>;
  const int64_t width = in.shape.crop_width;
  const double source = box.y.source(y);
  if (box.frame >= 0) scratch.prefetch(in, box, y + 1);
  const bool black = box.frame < 0 || !crop_reaches(source, in.shape.height);
  const int64_t begin = black ? 0 : scratch.columns.begin, end = black ? 0 : scratch.columns.end;
  const auto tap = black ? CropTap<T>{} : CropTap<T>::at(source, in.shape.height);
  const T* low = begin < end ? scratch.line(in, box.frame, tap.low) : nullptr;
  const T* high = begin < end ? scratch.line(in, box.frame, tap.high) : nullptr;
  for (int64_t c = 0; c < 3; ++c, plane += distance) {
    const T zero = colours.black[c];
    const T low_weight = tap.low_weight * colours.scale[c], high_weight = tap.high_weight * colours.scale[c];
    std::fill(plane, plane + begin, zero);
    for (int64_t i = begin; i < end; ++i)
      plane[i] = low[c * width + i] * low_weight + (high[c * width + i] * high_weight + zero);
    std::fill(plane + end, plane + width, zero);
  }
}

// Rows [begin, end) of all crops: row y of crop c is number c * crop_height + y.
template <typename P>
PTFAST_INLINE void crop_rows(const CropInputs<P>& in, CropReal<P>* out, int64_t begin, int64_t end) {
  static thread_local CropScratch<P> scratch;
  const auto& s = in.shape;
  const auto colours = CropColours<CropReal<P>>::from(in);
  const int64_t area = s.crop_height * s.crop_width;
  for (int64_t row = begin; row < end;) {
    const int64_t crop = row / s.crop_height, tube = crop / s.length, t = crop % s.length;
    const auto box = CropBox::from(in, crop);
    if (box.frame >= 0) scratch.start(in, box);
    for (int64_t y = row % s.crop_height; y < s.crop_height && row < end; ++y, ++row)
      crop_row(in, box, y, colours, scratch, out + (tube * 3 * s.length + t) * area + y * s.crop_width,
               s.length * area);
  }
}

PTFAST_CLONES void run_rows(const CropInputs<uint8_t>& in, float* out, int64_t begin, int64_t end) {
  crop_rows(in, out, begin, end);
}
PTFAST_CLONES void run_rows(const CropInputs<float>& in, float* out, int64_t begin, int64_t end) {
  crop_rows(in, out, begin, end);
}
PTFAST_CLONES void run_rows(const CropInputs<double>& in, double* out, int64_t begin, int64_t end) {
  crop_rows(in, out, begin, end);
}

}  // namespace

template <typename P>
void crop_tubes_cpu(const CropInputs<P>& in, CropReal<P>* out) {
  const auto& s = in.shape;
  advise_large_pages(out, s.tubes * s.length * 3 * s.crop_height * s.crop_width * sizeof(*out));
  parallel_for(s.tubes * s.length * s.crop_height, std::max<int64_t>(1, kWork / std::max<int64_t>(1, s.crop_width)),
               [&](int64_t begin, int64_t end) { run_rows(in, out, begin, end); });
}

template void crop_tubes_cpu(const CropInputs<uint8_t>&, float*);
template void crop_tubes_cpu(const CropInputs<float>&, float*);
template void crop_tubes_cpu(const CropInputs<double>&, double*);

}  // namespace ptfast
