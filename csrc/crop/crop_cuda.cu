#include "common/cuda.h"
#include "crop/crop.h"
#include "crop/crop_math.h"

namespace ptfast {
namespace {

constexpr int kThreads = 256;
constexpr int kPixels = 1024;  // of a crop that a block works at before it needs another box

// One pixel of a crop, all channels. pixel: in the crop's first channel, `distance` values between channels
template <typename P>
__device__ void crop_pixel(const CropInputs<P>& in, const CropBox& box, const CropColours<CropReal<P>>& colours,
                           int64_t column, int64_t row, CropReal<P>* pixel, int64_t distance) {
  using T = CropReal<P>;
  const auto& s = in.shape;
  const double source_x = box.x.source(column), source_y = box.y.source(row);
  T value[3] = {};
  if (box.frame >= 0 && crop_reaches(source_x, s.width) && crop_reaches(source_y, s.height)) {
    const auto x = CropTap<T>::at(source_x, s.width), y = CropTap<T>::at(source_y, s.height);
    const P* low = in.frames + (box.frame * s.height + y.low) * s.width * 3;
    const P* high = in.frames + (box.frame * s.height + y.high) * s.width * 3;
    for (int c = 0; c < 3; ++c) {
      const T upper = T(low[3 * x.low + c]) * x.low_weight + T(low[3 * x.high + c]) * x.high_weight;
      const T lower = T(high[3 * x.low + c]) * x.low_weight + T(high[3 * x.high + c]) * x.high_weight;
      value[c] = upper * y.low_weight + lower * y.high_weight;
    }
  }
  for (int c = 0; c < 3; ++c) pixel[c * distance] = value[c] * colours.scale[c] + colours.black[c];
}

// Each item of the grid is kPixels pixels of one crop, neighbours in neighbouring threads, so that a warp writes whole
// lines. The box is computed once for all of them. The first barrier keeps the last item's box until all threads are
// done with it.
template <typename P>
__global__ void crop_kernel(CropInputs<P> in, CropColours<CropReal<P>> colours, int64_t items, int64_t items_a_crop,
                            CropReal<P>* __restrict__ out) {  // [m, 3, t, crop_height, crop_width]
  __shared__ CropBox box;
  const auto& s = in.shape;
  const int64_t area = s.crop_height * s.crop_width;
  for (int64_t item = blockIdx.x; item < items; item += gridDim.x) {
    const int64_t crop = item / items_a_crop;
    __syncthreads();
    if (threadIdx.x == 0) box = CropBox::from(in, crop);
    __syncthreads();
    CropReal<P>* plane = out + (crop / s.length * 3 * s.length + crop % s.length) * area;
    // Divisions of 32 bits are several times faster, and enough for one crop.
    const auto width = static_cast<unsigned>(s.crop_width),
               first = static_cast<unsigned>(item % items_a_crop) * kPixels;
    const unsigned end = min(first + kPixels, static_cast<unsigned>(area));
    for (unsigned i = first + threadIdx.x; i < end; i += kThreads)
      crop_pixel(in, box, colours, i % width, i / width, plane + i, s.length * area);
  }
}

// Adds one crop's share to the gradient of pixel (x, y) of its frame: per channel, the weighted gradients of all output
// pixels that the pixel counts in. grad: of the crop's first channel, `distance` values between channels
template <typename P>
__device__ void gather_pixel(const CropInputs<P>& in, const CropBox& box, int64_t x, int64_t y, const P* grad,
                             int64_t distance, P* sum) {
  const auto& s = in.shape;
  const int64_t last_row = box.y.last_with(y, s.crop_height), last_column = box.x.last_with(x, s.crop_width);
  const int64_t first_column = box.x.first_with(x, s.crop_width);
  for (int64_t row = box.y.first_with(y, s.crop_height); row < last_row; ++row) {
    const P row_weight = CropTap<P>::weight(box.y.source(row), y);
    for (int64_t column = first_column; column < last_column && row_weight > 0; ++column) {
      const P weight = row_weight * CropTap<P>::weight(box.x.source(column), x);
      if (!(weight > 0)) continue;
      for (int c = 0; c < 3; ++c) sum[c] += grad[c * distance + row * s.crop_width + column] * weight;
    }
  }
}

// A thread gathers a pixel of a frame from all crops of that frame, in their order, without atomic additions.
template <typename P>
__global__ void backward_kernel(CropInputs<P> in, CropColours<P> colours, CropOrder order,
                                const P* __restrict__ grad_out,  // [m, 3, t, crop_height, crop_width]
                                P* __restrict__ grad_frames) {   // [frames, height, width, 3]
  const auto& s = in.shape;
  const int64_t area = s.crop_height * s.crop_width, pixels = s.frames * s.height * s.width;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = blockIdx.x * static_cast<int64_t>(blockDim.x) + threadIdx.x; i < pixels; i += stride) {
    const int64_t x = i % s.width, y = i / s.width % s.height, frame = i / s.width / s.height;
    P sum[3] = {};
    for (int64_t n = order.offsets[frame]; n < order.offsets[frame + 1]; ++n) {
      const int64_t crop = order.crops[n];
      const P* box = in.tubes + crop * 4;
      // No output pixel lies outside the box: most pixels of a frame are done here.
      if (!(P(x) > box[0] - 2 && P(x) < box[2] + 2 && P(y) > box[1] - 2 && P(y) < box[3] + 2)) continue;
      const auto map = CropBox::from(in, crop);
      if (map.frame < 0) continue;
      gather_pixel(in, map, x, y, grad_out + (crop / s.length * 3 * s.length + crop % s.length) * area, s.length * area,
                   sum);
    }
    for (int c = 0; c < 3; ++c) grad_frames[3 * i + c] = sum[c] * colours.scale[c];
  }
}

}  // namespace

template <typename P>
int crop_tubes_cuda(const CropInputs<P>& in, CropReal<P>* out, int device, void* stream) {
  const auto& s = in.shape;
  const int64_t items_a_crop = (s.crop_height * s.crop_width + kPixels - 1) / kPixels;
  const int64_t items = s.tubes * s.length * items_a_crop;
  if (items == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  return launch(crop_kernel<P>, grid_size(items, 1), kThreads, 0, stream, in, CropColours<CropReal<P>>::from(in), items,
                items_a_crop, out);
}

template <typename P>
int crop_tubes_backward_cuda(const P* grad_out, const CropInputs<P>& in, const CropOrder& order, P* grad_frames,
                             int device, void* stream) {
  const int64_t pixels = in.shape.frames * in.shape.height * in.shape.width;
  if (pixels == 0) return cudaSuccess;
  DeviceGuard guard(device);
  if (guard.status() != cudaSuccess) return guard.status();
  return launch(backward_kernel<P>, grid_size(pixels, kThreads), kThreads, 0, stream, in, CropColours<P>::from(in),
                order, grad_out, grad_frames);
}

template int crop_tubes_cuda(const CropInputs<uint8_t>&, float*, int, void*);
template int crop_tubes_cuda(const CropInputs<float>&, float*, int, void*);
template int crop_tubes_cuda(const CropInputs<double>&, double*, int, void*);
template int crop_tubes_backward_cuda(const float*, const CropInputs<float>&, const CropOrder&, float*, int, void*);
template int crop_tubes_backward_cuda(const double*, const CropInputs<double>&, const CropOrder&, double*, int, void*);

}  // namespace ptfast
