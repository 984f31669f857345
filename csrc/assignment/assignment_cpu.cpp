#include "assignment/assignment.h"

#include <algorithm>
#include <cmath>

namespace ptfast {

template <typename T>
void hungarian(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row, AssignmentWorkspace<T>& w) {
  std::fill_n(column_of_row, n, int64_t(-1));
  if (n == 0 || m == 0) return;
  const bool transposed = n > m;
  const int64_t rows = std::min(n, m), columns = std::max(n, m);
  double low = 0, high = 0;
  for (int64_t i = 0; i < n * m; ++i)
    if (std::isfinite(cost[i])) low = std::min(low, double(cost[i])), high = std::max(high, double(cost[i]));
  const double forbidden = std::isfinite(max_cost) ? double(max_cost) : high + 2 * (rows + 1) * (high - low) + 1;
  w.cost.resize(n * m);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < m; ++j) {
      const T c = cost[i * m + j];
      w.cost[transposed ? j * n + i : i * m + j] = c <= max_cost && std::isfinite(c) ? double(c) : forbidden;
    }
  w.row_dual.assign(rows, 0);
  w.column_dual.assign(columns, 0);
  w.row_of_column.assign(columns, -1);
  for (int64_t first = 0; first < rows; ++first) {
    w.distance.assign(columns, std::numeric_limits<double>::infinity());
    w.previous.assign(columns, -1);
    w.scanned.assign(columns, 0);
    int64_t row = first, sink = -1;
    double reached = 0;
    while (sink < 0) {
      int64_t next = -1;
      for (int64_t j = 0; j < columns; ++j) {
        if (w.scanned[j]) continue;
        const double d = reached + w.cost[row * columns + j] - w.row_dual[row] - w.column_dual[j];
        if (d < w.distance[j]) w.distance[j] = d, w.previous[j] = row;
        if (next < 0 || w.distance[j] < w.distance[next]) next = j;
      }
      reached = w.distance[next];
      w.scanned[next] = 1;
      row = w.row_of_column[next];
      if (row < 0) sink = next;
    }
    w.row_dual[first] += reached;
    for (int64_t j = 0; j < columns; ++j)
      if (w.scanned[j] && j != sink) {
        w.row_dual[w.row_of_column[j]] += reached - w.distance[j];
        w.column_dual[j] -= reached - w.distance[j];
      }
    for (int64_t j = sink, i = -1; i != first;) {
      i = w.previous[j];
      w.row_of_column[j] = i;
      int64_t before = -1;
      for (int64_t k = 0; k < columns && i != first; ++k)
        if (k != j && w.row_of_column[k] == i) before = k;
      j = before;
    }
  }
  for (int64_t j = 0; j < columns; ++j) {
    const int64_t i = w.row_of_column[j];
    if (i < 0) continue;
    const int64_t row = transposed ? j : i, column = transposed ? i : j;
    const T c = cost[row * m + column];
    if (c <= max_cost && std::isfinite(c)) column_of_row[row] = column;
  }
}

template <typename T>
void greedy(const T* cost, int64_t n, int64_t m, T max_cost, int64_t* column_of_row, AssignmentWorkspace<T>& w) {
  std::fill_n(column_of_row, n, int64_t(-1));
  w.scanned.assign(m, 0);
  for (;;) {
    int64_t best = -1;
    for (int64_t i = 0; i < n; ++i) {
      if (column_of_row[i] >= 0) continue;
      for (int64_t j = 0; j < m; ++j) {
        const T c = cost[i * m + j];
        if (w.scanned[j] || !(c <= max_cost) || !std::isfinite(c)) continue;
        if (best < 0 || c < cost[best]) best = i * m + j;
      }
    }
    if (best < 0) return;
    column_of_row[best / m] = best % m;
    w.scanned[best % m] = 1;
  }
}

template void hungarian(const float*, int64_t, int64_t, float, int64_t*, AssignmentWorkspace<float>&);
template void hungarian(const double*, int64_t, int64_t, double, int64_t*, AssignmentWorkspace<double>&);
template void greedy(const float*, int64_t, int64_t, float, int64_t*, AssignmentWorkspace<float>&);
template void greedy(const double*, int64_t, int64_t, double, int64_t*, AssignmentWorkspace<double>&);

}  // namespace ptfast
