#pragma once
#include "common/host_device.h"
#include "flow/flow.h"

namespace ptfast {

// The cell of four pixels around a point, and the point's place in it: fx and fy in [0, 1].
template <typename T>
struct FlowCell {
  int64_t pixels[4];  // y * width + x of upper left, upper right, lower left, lower right
  T fx, fy;
  bool inside;

  // point: [2]
  PTFAST_HD static FlowCell at(const FlowInputs<T>& in, const T* point) {
    const T x = point[0], y = point[1];
    if (!(x >= T(0) && x <= T(in.width - 1) && y >= T(0) && y <= T(in.height - 1)))
      return {{0, 0, 0, 0}, T(0), T(0), false};
    // On the last column and row the cell is the one before, so that no pixel is outside.
    const int64_t column = before(static_cast<int64_t>(x), in.width), row = before(static_cast<int64_t>(y), in.height);
    const int64_t right = in.width > 1, below = in.height > 1 ? in.width : 0, first = row * in.width + column;
    return {{first, first + right, first + below, first + below + right}, x - T(column), y - T(row), true};
  }

  // Component c of the flow at the point.
  PTFAST_HD T value(const T* flow, int c) const {
    const T upper = mix(flow[pixels[0] * 2 + c], flow[pixels[1] * 2 + c], fx);
    const T lower = mix(flow[pixels[2] * 2 + c], flow[pixels[3] * 2 + c], fx);
    return mix(upper, lower, fy);
  }

  // Derivatives of value() with respect to the point's x and y.
  PTFAST_HD T slope_x(const T* flow, int c) const {
    return mix(flow[pixels[1] * 2 + c] - flow[pixels[0] * 2 + c], flow[pixels[3] * 2 + c] - flow[pixels[2] * 2 + c],
               fy);
  }
  PTFAST_HD T slope_y(const T* flow, int c) const {
    return mix(flow[pixels[2] * 2 + c] - flow[pixels[0] * 2 + c], flow[pixels[3] * 2 + c] - flow[pixels[1] * 2 + c],
               fx);
  }

  // Weight of pixel k of the cell.
  PTFAST_HD T weight(int k) const { return (k % 2 == 1 ? fx : T(1) - fx) * (k / 2 == 1 ? fy : T(1) - fy); }

 private:
  PTFAST_HD static int64_t before(int64_t pixel, int64_t count) {
    return pixel + 1 < count || count < 2 ? pixel : count - 2;
  }
  PTFAST_HD static T mix(T a, T b, T fraction) { return a * (T(1) - fraction) + b * fraction; }
};

// value: [2], inside: [1]
template <typename T>
PTFAST_HD void flow_sample(const FlowInputs<T>& in, int64_t i, T* value, bool* inside) {
  const auto cell = FlowCell<T>::at(in, in.points + 2 * i);
  for (int c = 0; c < 2; ++c) value[c] = cell.inside ? cell.value(in.flow, c) : T(0);
  *inside = cell.inside;
}

// Point i of sample_flow_backward. The arguments are the point's own parts of those in flow.h.
template <typename T>
PTFAST_HD void flow_gradient(const FlowInputs<T>& in, int64_t i,
                             const T* grad_value,  // [2]
                             T* grad_point,        // [2]
                             int64_t* pixels,      // [4]
                             T* contributions) {   // [4, 2]
  const auto cell = FlowCell<T>::at(in, in.points + 2 * i);
  grad_point[0] = grad_point[1] = T(0);
  for (int c = 0; c < 2 && cell.inside; ++c) {
    grad_point[0] += grad_value[c] * cell.slope_x(in.flow, c);
    grad_point[1] += grad_value[c] * cell.slope_y(in.flow, c);
  }
  for (int k = 0; k < 4; ++k) {
    pixels[k] = cell.pixels[k];
    for (int c = 0; c < 2; ++c) contributions[2 * k + c] = cell.inside ? grad_value[c] * cell.weight(k) : T(0);
  }
}

}  // namespace ptfast
