#include "common/bindings.h"

#include "common/finite.h"
#include "nms/nms.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 4>;  // keypoints, scores, areas, sigmas
using Results = std::array<uintptr_t, 3>;    // mask, kept, status

template <typename T>
TubeNmsInputs<T> tubes_of(uintptr_t tubes, uintptr_t scores, int64_t n, int64_t t, T threshold) {
  return {pointer<const T>(tubes), pointer<const T>(scores), n, t, threshold};
}

template <typename T>
PoseNmsInputs<T> poses_of(const Addresses& p, int64_t n, int64_t k, T threshold) {
  return {
      pointer<const T>(p[0]), pointer<const T>(p[1]), pointer<const T>(p[2]), pointer<const T>(p[3]), n, k, threshold};
}

template <typename T>
void bind_cpu(py::module_& m, const std::string& dtype) {
  m.def(("all_finite_cpu_" + dtype).c_str(),
        [](uintptr_t values, int64_t n) { return all_finite(pointer<const T>(values), n); }, "values"_a, "n"_a);
  m.def(("tube_nms_cpu_" + dtype).c_str(),
        [](uintptr_t tubes, uintptr_t scores, int64_t n, int64_t t, T threshold, uintptr_t kept) {
          py::gil_scoped_release release;
          return tube_nms_cpu(tubes_of(tubes, scores, n, t, threshold), pointer<int64_t>(kept));
        },
        "tubes"_a, "scores"_a, "n"_a, "t"_a, "threshold"_a, "kept"_a);
  m.def(("oks_nms_cpu_" + dtype).c_str(),
        [](const Addresses& poses, int64_t n, int64_t k, T threshold, uintptr_t kept) {
          py::gil_scoped_release release;
          return oks_nms_cpu(poses_of(poses, n, k, threshold), pointer<int64_t>(kept));
        },
        "poses"_a, "n"_a, "k"_a, "threshold"_a, "kept"_a);
  m.def(
      ("soft_oks_nms_cpu_" + dtype).c_str(),
      [](const Addresses& poses, int64_t n, int64_t k, int64_t count, T threshold, uintptr_t kept, uintptr_t rescored) {
        py::gil_scoped_release release;
        soft_oks_nms_cpu(poses_of(poses, n, k, threshold), count, pointer<int64_t>(kept), pointer<T>(rescored));
      },
      "poses"_a, "n"_a, "k"_a, "count"_a, "threshold"_a, "kept"_a, "rescored"_a);
}

#if PTFAST_WITH_CUDA
template <typename T>
void bind_cuda(py::module_& m, const std::string& dtype) {
  m.def(("tube_nms_cuda_" + dtype).c_str(),
        [](uintptr_t tubes, uintptr_t scores, uintptr_t order, int64_t n, int64_t t, T threshold, const Results& out,
           int device, uintptr_t stream) {
          return tube_nms_cuda(tubes_of(tubes, scores, n, t, threshold), pointer<const int64_t>(order),
                               pointer<uint64_t>(out[0]), pointer<int64_t>(out[1]), pointer<int64_t>(out[2]), device,
                               pointer<void>(stream));
        },
        "tubes"_a, "scores"_a, "order"_a, "n"_a, "t"_a, "threshold"_a, "outputs"_a, "device"_a, "stream"_a);
  m.def(("oks_nms_cuda_" + dtype).c_str(),
        [](const Addresses& poses, uintptr_t order, int64_t n, int64_t k, T threshold, const Results& out, int device,
           uintptr_t stream) {
          return oks_nms_cuda(poses_of(poses, n, k, threshold), pointer<const int64_t>(order),
                              pointer<uint64_t>(out[0]), pointer<int64_t>(out[1]), pointer<int64_t>(out[2]), device,
                              pointer<void>(stream));
        },
        "poses"_a, "order"_a, "n"_a, "k"_a, "threshold"_a, "outputs"_a, "device"_a, "stream"_a);
  m.def(("soft_oks_nms_cuda_" + dtype).c_str(),
        [](const Addresses& poses, int64_t n, int64_t k, int64_t count, T threshold, uintptr_t left, uintptr_t kept,
           uintptr_t rescored, int device, uintptr_t stream) {
          return soft_oks_nms_cuda(poses_of(poses, n, k, threshold), count, pointer<T>(left), pointer<int64_t>(kept),
                                   pointer<T>(rescored), device, pointer<void>(stream));
        },
        "poses"_a, "n"_a, "k"_a, "count"_a, "threshold"_a, "left"_a, "kept"_a, "rescored"_a, "device"_a, "stream"_a);
}
#endif

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  bind_cpu<T>(m, dtype);
#if PTFAST_WITH_CUDA
  bind_cuda<T>(m, dtype);
#endif
}

}  // namespace

void bind_nms(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
