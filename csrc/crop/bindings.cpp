#include "common/bindings.h"

#include "common/checks.h"
#include "crop/crop.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 3>;  // frames, tubes, frame_index
using Incoming = std::array<uintptr_t, 5>;   // grad_out, tubes, frame_index, crops, offsets
using Sizes = std::array<int64_t, 7>;        // in the order of CropShape's fields
using Colours = std::array<double, 6>;       // mean, then std

template <typename P>
CropInputs<P> inputs(const Addresses& p, const Sizes& s, const Colours& colours, bool unbiased) {
  return {pointer<const P>(p[0]),
          pointer<const CropReal<P>>(p[1]),
          pointer<const int64_t>(p[2]),
          {s[0], s[1], s[2], s[3], s[4], s[5], s[6]},
          {colours[0], colours[1], colours[2]},
          {colours[3], colours[4], colours[5]},
          unbiased};
}

// The backward direction does not read the frames.
template <typename P>
CropInputs<P> boxes(const Incoming& p, const Sizes& s, const Colours& colours, bool unbiased) {
  return inputs<P>({0, p[1], p[2]}, s, colours, unbiased);
}

CropOrder order(const Incoming& p) { return {pointer<const int64_t>(p[3]), pointer<const int64_t>(p[4])}; }

void check_order(const CropOrder& order, const CropShape& s) {
  const int64_t crops = checked_product("frame_index", s.tubes, s.length);
  check_offsets("frame_index", order.offsets, s.frames, crops);
  check_index("crops", order.crops, crops, crops);
}

template <typename P>
void bind_forward(py::module_& m, const std::string& dtype) {
  using T = CropReal<P>;
  m.def(("crop_tubes_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& s, const Colours& colours, bool unbiased, uintptr_t out) {
          py::gil_scoped_release release;
          crop_tubes_cpu(inputs<P>(in, s, colours, unbiased), pointer<T>(out));
        },
        "inputs"_a, "sizes"_a, "colours"_a, "unbiased"_a, "out"_a);
#if PTFAST_WITH_CUDA
  m.def(("crop_tubes_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& s, const Colours& colours, bool unbiased, uintptr_t out, int device,
           uintptr_t stream) {
          return crop_tubes_cuda(inputs<P>(in, s, colours, unbiased), pointer<T>(out), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "colours"_a, "unbiased"_a, "out"_a, "device"_a, "stream"_a);
#endif
}

template <typename P>
void bind_backward(py::module_& m, const std::string& dtype) {
  m.def(("crop_tubes_backward_cpu_" + dtype).c_str(),
        [](const Incoming& in, const Sizes& s, const Colours& colours, bool unbiased, uintptr_t grad_frames) {
          const auto crops = boxes<P>(in, s, colours, unbiased);
          check_order(order(in), crops.shape);
          py::gil_scoped_release release;
          crop_tubes_backward_cpu(pointer<const P>(in[0]), crops, order(in), pointer<P>(grad_frames));
        },
        "inputs"_a, "sizes"_a, "colours"_a, "unbiased"_a, "grad_frames"_a);
#if PTFAST_WITH_CUDA
  m.def(("crop_tubes_backward_cuda_" + dtype).c_str(),
        [](const Incoming& in, const Sizes& s, const Colours& colours, bool unbiased, uintptr_t grad_frames, int device,
           uintptr_t stream) {
          return crop_tubes_backward_cuda(pointer<const P>(in[0]), boxes<P>(in, s, colours, unbiased), order(in),
                                          pointer<P>(grad_frames), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "colours"_a, "unbiased"_a, "grad_frames"_a, "device"_a, "stream"_a);
#endif
}

}  // namespace

void bind_crop(py::module_& m) {
  bind_forward<uint8_t>(m, "uint8");
  bind_forward<float>(m, "float32");
  bind_forward<double>(m, "float64");
  bind_backward<float>(m, "float32");
  bind_backward<double>(m, "float64");
}

}  // namespace ptfast
