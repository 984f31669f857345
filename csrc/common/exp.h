#pragma once
#include <cstdint>
#include <cstring>

#include "common/host_device.h"

namespace ptfast {

// 2^t for -120 <= t <= 0, within 1.5 units in the last place; exp2_unit(0) is exactly 1. Branch-free, so that a loop
// over it vectorises for any instruction set: libm's exp does not, and takes a slow path where the result underflows.
// The polynomials are minimax fits of 2^f on [-0.5, 0.5]. Adding 1.5 * 2^23 (2^52) rounds to the nearest integer and
// leaves it in the low bits, from where it moves into the exponent.
PTFAST_HD float exp2_unit(float t) {
#ifdef __CUDA_ARCH__
  return exp2f(t);
#else
  const float shifted = t + 12582912.f;
  const float f = t - (shifted - 12582912.f);
  float p = 1.53458121613116298e-4f;
  p = p * f + 1.3399931177239738e-3f;
  p = p * f + 9.61848895633118162e-3f;
  p = p * f + 5.5503287771053248e-2f;
  p = p * f + 2.40226468906455207e-1f;
  p = p * f + 6.93147205737195751e-1f;
  p = p * f + 1.f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3f800000u;
  float scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return p * scale;
#endif
}

PTFAST_HD double exp2_unit(double t) {
#ifdef __CUDA_ARCH__
  return exp2(t);
#else
  const double shifted = t + 6755399441055744.0;
  const double f = t - (shifted - 6755399441055744.0);
  double p = 2.5623409293273941e-11;
  p = p * f + 4.45662770457034571e-10;
  p = p * f + 7.05497687232160262e-9;
  p = p * f + 1.01780515201645806e-7;
  p = p * f + 1.32154865844655957e-6;
  p = p * f + 1.5252733855476381e-5;
  p = p * f + 1.54035303936621528e-4;
  p = p * f + 1.33335581463912452e-3;
  p = p * f + 9.61812910762830818e-3;
  p = p * f + 5.5504108664821695e-2;
  p = p * f + 2.40226506959100716e-1;
  p = p * f + 6.93147180559945308e-1;
  p = p * f + 1.0;
  uint64_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 52) + 0x3ff0000000000000ull;
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return p * scale;
#endif
}

}  // namespace ptfast
