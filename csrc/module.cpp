#include "common/bindings.h"
#include "common/cuda_status.h"
#include "common/parallel.h"

namespace ptfast {

void bind_linking(py::module_& m);
void bind_oks(py::module_& m);

}  // namespace ptfast

PYBIND11_MODULE(_C, m) {
  using namespace ptfast;
  m.attr("version") = PTFAST_VERSION;
  m.attr("with_cuda") = bool(PTFAST_WITH_CUDA);
  m.attr("cuda_archs") = PTFAST_CUDA_ARCHS;
#if PTFAST_WITH_CUDA
  m.def("cuda_error", &cuda_error);
  m.def("cuda_runtime_version", &cuda_runtime_version);
  m.def("cuda_driver_version", &cuda_driver_version);
#endif
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
  bind_linking(m);
  bind_oks(m);
}
