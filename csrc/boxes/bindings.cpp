#include "common/bindings.h"

#include "boxes/boxes.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 4>;  // a, b, a_valid, b_valid
using Sizes = std::array<int64_t, 4>;        // batch, n, m, t

template <typename T>
TubeInputs<T> tubes(const Addresses& p, const Sizes& s) {
  return {pointer<const T>(p[0]),
          pointer<const T>(p[1]),
          pointer<const uint8_t>(p[2]),
          pointer<const uint8_t>(p[3]),
          {s[0], s[1], s[2], s[3]}};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("iou_matrix_cpu_" + dtype).c_str(),
        [](uintptr_t a, uintptr_t b, int64_t batch, int64_t n, int64_t boxes, uintptr_t out) {
          py::gil_scoped_release release;
          iou_matrix_cpu(pointer<const T>(a), pointer<const T>(b), {batch, n, boxes}, pointer<T>(out));
        },
        "a"_a, "b"_a, "batch"_a, "n"_a, "m"_a, "out"_a);
  m.def(("tube_iou_matrix_cpu_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& sizes, uintptr_t out) {
          py::gil_scoped_release release;
          tube_iou_matrix_cpu(tubes<T>(in, sizes), pointer<T>(out));
        },
        "inputs"_a, "sizes"_a, "out"_a);
#if PTFAST_WITH_CUDA
  m.def(("iou_matrix_cuda_" + dtype).c_str(),
        [](uintptr_t a, uintptr_t b, int64_t batch, int64_t n, int64_t boxes, uintptr_t out, int device,
           uintptr_t stream) {
          return iou_matrix_cuda(pointer<const T>(a), pointer<const T>(b), {batch, n, boxes}, pointer<T>(out), device,
                                 pointer<void>(stream));
        },
        "a"_a, "b"_a, "batch"_a, "n"_a, "m"_a, "out"_a, "device"_a, "stream"_a);
  m.def(("tube_iou_matrix_cuda_" + dtype).c_str(),
        [](const Addresses& in, const Sizes& sizes, uintptr_t out, int device, uintptr_t stream) {
          return tube_iou_matrix_cuda(tubes<T>(in, sizes), pointer<T>(out), device, pointer<void>(stream));
        },
        "inputs"_a, "sizes"_a, "out"_a, "device"_a, "stream"_a);
#endif
}

}  // namespace

void bind_boxes(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
