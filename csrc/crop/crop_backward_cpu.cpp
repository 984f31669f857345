#include <algorithm>
#include <vector>

#include "common/parallel.h"
#include "crop/crop.h"
#include "crop/crop_columns.h"
#include "crop/crop_math.h"

namespace ptfast {
namespace {

// The crops of one frame, kept from row to row.
template <typename P>
struct FrameCrops {
  int64_t frame = -1;
  std::vector<CropBox> boxes;
  std::vector<CropColumns<P>> columns;

  void fill(const CropInputs<P>& in, const CropOrder& order, int64_t next) {
    frame = next;
    const int64_t first = order.offsets[frame], count = order.offsets[frame + 1] - first;
    boxes.resize(count);
    columns.resize(count);
    for (int64_t n = 0; n < count; ++n) {
      boxes[n] = CropBox::from(in, order.crops[first + n]);
      if (boxes[n].frame >= 0) columns[n].fill(boxes[n].x, in.shape.crop_width, in.shape.width);
    }
  }
};

// Adds a row of a crop, with the weight that the frame's row has in it, to the frame's row.
// grad: the row's gradient in the crop's first channel, `distance` values between channels, frame_row: [width, 3]
template <typename P>
void add_row(const CropColumns<P>& columns, const CropColours<P>& colours, P row_weight, const P* grad,
             int64_t distance, P* frame_row) {
  P scale[3];
  for (int64_t c = 0; c < 3; ++c) scale[c] = colours.scale[c] * row_weight;
  for (int64_t i = columns.begin; i < columns.end; ++i) {
    P *low = frame_row + columns.low[i], *high = frame_row + columns.high[i];
    for (int64_t c = 0; c < 3; ++c) {
      const P slope = grad[c * distance + i] * scale[c];
      low[c] += slope * columns.low_weight[i];
      high[c] += slope * columns.high_weight[i];
    }
  }
}

// Row y of a frame's gradient. A frame's row gathers from all crops that reach it, instead of crops scattering to
// frames: so threads write to rows of their own and sum in a fixed order.
template <typename P>
void gather_row(const CropInputs<P>& in, const CropOrder& order, const FrameCrops<P>& crops,
                const CropColours<P>& colours, const P* grad_out, int64_t y, P* frame_row) {
  const auto& s = in.shape;
  const int64_t area = s.crop_height * s.crop_width, count = static_cast<int64_t>(crops.boxes.size());
  for (int64_t n = 0; n < count; ++n) {
    const auto& box = crops.boxes[n];
    if (box.frame < 0) continue;
    const int64_t crop = order.crops[order.offsets[crops.frame] + n];
    const P* grad = grad_out + (crop / s.length * 3 * s.length + crop % s.length) * area;
    const int64_t last = box.y.last_with(y, s.crop_height);
    for (int64_t i = box.y.first_with(y, s.crop_height); i < last; ++i) {
      const P weight = CropTap<P>::weight(box.y.source(i), y);
      if (weight > 0) add_row(crops.columns[n], colours, weight, grad + i * s.crop_width, s.length * area, frame_row);
    }
  }
}

}  // namespace

template <typename P>
void crop_tubes_backward_cpu(const P* grad_out, const CropInputs<P>& in, const CropOrder& order, P* grad_frames) {
  const auto& s = in.shape;
  const auto colours = CropColours<P>::from(in);
  const int64_t row_size = s.width * 3, grain = std::max<int64_t>(1, 100000 / std::max<int64_t>(1, row_size));
  parallel_for(s.frames * s.height, grain, [&](int64_t begin, int64_t end) {
    FrameCrops<P> crops;
    for (int64_t row = begin; row < end; ++row) {
      if (row / s.height != crops.frame) crops.fill(in, order, row / s.height);
      P* frame_row = grad_frames + row * row_size;
      std::fill_n(frame_row, row_size, P(0));
      gather_row(in, order, crops, colours, grad_out, row % s.height, frame_row);
    }
  });
}

template void crop_tubes_backward_cpu(const float*, const CropInputs<float>&, const CropOrder&, float*);
template void crop_tubes_backward_cpu(const double*, const CropInputs<double>&, const CropOrder&, double*);

}  // namespace ptfast
