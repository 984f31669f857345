#pragma once
#include <cstdint>

#include "roi_align/roi_align.h"

namespace ptfast {

// An array of two axes by strides, in elements.
template <typename S>
struct Matrix {
  S* data;  // [n, m]
  int64_t n, m, row, column;
};

// to[i, j] = from[i, j], rounded where D is the narrower. Fast where either side's rows or columns are contiguous.
template <typename S, typename D>
void copy_matrix(const Matrix<const S>& from, const Matrix<D>& to);

}  // namespace ptfast
