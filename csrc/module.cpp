#include "common/bindings.h"
#include "common/cuda_status.h"
#include "common/parallel.h"
#include "common/probe.h"
#include "common/simd.h"

namespace ptfast {

void bind_assignment(py::module_& m);
void bind_boxes(py::module_& m);
void bind_clear(py::module_& m);
void bind_crop(py::module_& m);
void bind_flow(py::module_& m);
void bind_heatmap(py::module_& m);
void bind_linking(py::module_& m);
void bind_nms(py::module_& m);
void bind_oks(py::module_& m);
void bind_pckh(py::module_& m);
void bind_ranking(py::module_& m);
void bind_roi_align(py::module_& m);

}  // namespace ptfast

PYBIND11_MODULE(_C, m) {
  using namespace ptfast;
  m.attr("version") = PTFAST_VERSION;
  m.attr("compiler") = PTFAST_COMPILER;
  m.attr("instruction_set") = instruction_set();
  m.attr("with_cuda") = bool(PTFAST_WITH_CUDA);
  m.attr("cuda_archs") = PTFAST_CUDA_ARCHS;
#if PTFAST_WITH_CUDA
  m.def("cuda_error", &cuda_error, "status"_a);
  m.def("cuda_runtime_version", &cuda_runtime_version);
  m.def("cuda_driver_version", &cuda_driver_version);
#endif
  m.def("address", &address, "array"_a);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, "count"_a);
  m.def("probe_exp", &probe_exp, "count"_a);
  bind_assignment(m);
  bind_boxes(m);
  bind_clear(m);
  bind_crop(m);
  bind_flow(m);
  bind_heatmap(m);
  bind_linking(m);
  bind_nms(m);
  bind_oks(m);
  bind_pckh(m);
  bind_ranking(m);
  bind_roi_align(m);
}
