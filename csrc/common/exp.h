#pragma once
#include <cstdint>
#include <cstring>

#include "common/host_device.h"

namespace ptfast {

// 2^(x scale) for -120 <= x scale <= 0, within 1.5 units in the last place and exactly 1 where the product is 0.
// Branch-free, so that a loop over it vectorises for any instruction set: libm's exp does not, and takes a slow path
// where the result underflows. The polynomials are minimax fits of 2^f on [-0.5, 0.5]. Adding 1.5 * 2^23 (2^52) rounds
// to the nearest integer and leaves it in the low bits; the exponent's bias comes with it, so that a shift alone makes
// the power of two.
PTFAST_HD float exp2_product(float x, float scale) {
#ifdef __CUDA_ARCH__
  // The instruction behind exp2f, without exp2f's care for subnormal results: here the product may be any number up to
  // 0.
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x * scale));
  return power;
#else
  constexpr float kShift = 12582912.f + 127.f;
  const float shifted = x * scale + kShift;
  const float f = x * scale - (shifted - kShift);
  float p = 1.53458121613116298e-4f;
  p = p * f + 1.3399931177239738e-3f;
  p = p * f + 9.61848895633118162e-3f;
  p = p * f + 5.5503287771053248e-2f;
  p = p * f + 2.40226468906455207e-1f;
  p = p * f + 6.93147205737195751e-1f;
  p = p * f + 1.f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits <<= 23;
  float power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
#endif
}

PTFAST_HD double exp2_product(double x, double scale) {
#ifdef __CUDA_ARCH__
  return exp2(x * scale);
#else
  constexpr double kShift = 6755399441055744.0 + 1023.0;
  const double shifted = x * scale + kShift;
  const double f = x * scale - (shifted - kShift);
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
  bits <<= 52;
  double power;
  std::memcpy(&power, &bits, sizeof power);
  return p * power;
#endif
}

// 2^t for -120 <= t <= 0.
template <typename T>
PTFAST_HD T exp2_unit(T t) {
  return exp2_product(t, T(1));
}

}  // namespace ptfast
