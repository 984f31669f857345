#include "common/bindings.h"

#include "clear/clear.h"
#include "common/checks.h"

namespace ptfast {
namespace {

// Arrays in the order of ClearInputs' fields and of ClearOutputs'.
using Inputs = std::array<py::object, 10>;
using Outputs = std::array<py::object, 4>;

ClearInputs inputs_of(const Inputs& in, int64_t k) {
  const Span<const int64_t> pairs(in[1]), objects(in[2]), hypotheses(in[3]), object_offsets(in[4]),
      hypothesis_offsets(in[5]), pair_offsets(in[6]), sequence_offsets(in[7]);
  const Span<const double> distances(in[0]);
  const Span<const uint8_t> object_present(in[8]), hypothesis_present(in[9]);
  const int64_t frames = object_offsets.size - 1;
  check_size("distances", distances.size, checked_product("distances", pairs.size, k));
  check_index("pair_columns", pairs.data, pairs.size, hypotheses.size);
  check_offsets("object_offsets", object_offsets.data, frames, objects.size);
  check_offsets("hypothesis_offsets", hypothesis_offsets.data, hypothesis_offsets.size - 1, hypotheses.size);
  check_size("hypothesis_offsets", hypothesis_offsets.size, object_offsets.size);
  check_offsets("pair_offsets", pair_offsets.data, pair_offsets.size - 1, pairs.size);
  check_size("pair_offsets", pair_offsets.size, objects.size + 1);
  check_offsets("sequence_offsets", sequence_offsets.data, sequence_offsets.size - 1, frames);
  if (object_present.data != nullptr)
    check_size("object_present", object_present.size, checked_product("object_present", objects.size, k));
  if (hypothesis_present.data != nullptr)
    check_size("hypothesis_present", hypothesis_present.size,
               checked_product("hypothesis_present", hypotheses.size, k));
  return {distances.data,
          pairs.data,
          objects.data,
          hypotheses.data,
          object_offsets.data,
          hypothesis_offsets.data,
          pair_offsets.data,
          sequence_offsets.data,
          object_present.data,
          hypothesis_present.data,
          sequence_offsets.size - 1,
          k};
}

ClearOutputs outputs_of(const Outputs& out, const ClearInputs& in, int64_t objects) {
  const Span<int64_t> matched(out[0]), counts(out[2]);
  const Span<uint8_t> switched(out[1]);
  const Span<double> sums(out[3]);
  const int64_t channels = checked_product("counts", in.sequences, in.k);
  check_size("matched", matched.size, checked_product("matched", objects, in.k));
  check_size("switched", switched.size, matched.size);
  check_size("counts", counts.size, checked_product("counts", channels, kClearEvents));
  check_size("sums", sums.size, checked_product("sums", channels, 2));
  return {matched.data, switched.data, counts.data, sums.data};
}

}  // namespace

void bind_clear(py::module_& m) {
  m.def(
      "clear_match_cpu",
      [](const Inputs& in, int64_t k, const Outputs& out) {
        const ClearInputs inputs = inputs_of(in, k);
        const ClearOutputs outputs = outputs_of(out, inputs, Span<const int64_t>(in[2]).size);
        py::gil_scoped_release release;
        clear_match_cpu(inputs, outputs);
      },
      "inputs"_a, "k"_a, "outputs"_a);
}

}  // namespace ptfast
