#include "common/bindings.h"
#include "common/parallel.h"

namespace ptfast {

void bind_oks(py::module_& m);

}  // namespace ptfast

PYBIND11_MODULE(_C, m) {
  using namespace ptfast;
  m.attr("version") = PTFAST_VERSION;
  m.attr("with_cuda") = bool(PTFAST_WITH_CUDA);
  m.attr("cuda_archs") = PTFAST_CUDA_ARCHS;
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads);
  bind_oks(m);
}
