#include "common/bindings.h"

#include "common/finite.h"
#include "nms/nms.h"

namespace ptfast {
namespace {

using Addresses = std::array<uintptr_t, 4>;

template <typename T>
PoseNmsInputs<T> poses(const Addresses& p, int64_t n, int64_t k, T threshold) {
  return {
      pointer<const T>(p[0]), pointer<const T>(p[1]), pointer<const T>(p[2]), pointer<const T>(p[3]), n, k, threshold};
}

template <typename T>
void bind_dtype(py::module_& m, const std::string& dtype) {
  m.def(("all_finite_cpu_" + dtype).c_str(),
        [](uintptr_t values, int64_t n) { return all_finite(pointer<const T>(values), n); });
  m.def(("tube_nms_cpu_" + dtype).c_str(),
        [](uintptr_t tubes, uintptr_t scores, int64_t n, int64_t t, T threshold, uintptr_t kept) {
          py::gil_scoped_release release;
          return tube_nms_cpu<T>({pointer<const T>(tubes), pointer<const T>(scores), n, t, threshold},
                                 pointer<int64_t>(kept));
        });
  m.def(("oks_nms_cpu_" + dtype).c_str(), [](const Addresses& p, int64_t n, int64_t k, T threshold, uintptr_t kept) {
    py::gil_scoped_release release;
    return oks_nms_cpu(poses(p, n, k, threshold), pointer<int64_t>(kept));
  });
  m.def(("soft_oks_nms_cpu_" + dtype).c_str(),
        [](const Addresses& p, int64_t n, int64_t k, T threshold, int64_t count, uintptr_t kept, uintptr_t rescored) {
          py::gil_scoped_release release;
          soft_oks_nms_cpu(poses(p, n, k, threshold), count, pointer<int64_t>(kept), pointer<T>(rescored));
        });
#if PTFAST_WITH_CUDA
  // results: the addresses of order, mask, kept and status
  m.def(("tube_nms_cuda_" + dtype).c_str(), [](uintptr_t tubes, uintptr_t scores, int64_t n, int64_t t, T threshold,
                                               const Addresses& results, int device, uintptr_t stream) {
    return tube_nms_cuda<T>({pointer<const T>(tubes), pointer<const T>(scores), n, t, threshold},
                            pointer<const int64_t>(results[0]), pointer<uint64_t>(results[1]),
                            pointer<int64_t>(results[2]), pointer<int64_t>(results[3]), device, pointer<void>(stream));
  });
  m.def(("oks_nms_cuda_" + dtype).c_str(), [](const Addresses& p, int64_t n, int64_t k, T threshold,
                                              const Addresses& results, int device, uintptr_t stream) {
    return oks_nms_cuda(poses(p, n, k, threshold), pointer<const int64_t>(results[0]), pointer<uint64_t>(results[1]),
                        pointer<int64_t>(results[2]), pointer<int64_t>(results[3]), device, pointer<void>(stream));
  });
  m.def(("soft_oks_nms_cuda_" + dtype).c_str(),
        [](const Addresses& p, int64_t n, int64_t k, T threshold, int64_t count, uintptr_t left, uintptr_t kept,
           uintptr_t rescored, int device, uintptr_t stream) {
          return soft_oks_nms_cuda(poses(p, n, k, threshold), count, pointer<T>(left), pointer<int64_t>(kept),
                                   pointer<T>(rescored), device, pointer<void>(stream));
        });
#endif
}

}  // namespace

void bind_nms(py::module_& m) {
  bind_dtype<float>(m, "float32");
  bind_dtype<double>(m, "float64");
}

}  // namespace ptfast
