#pragma once
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#endif

#include "common/host_device.h"

namespace ptfast {

// Storage of half-precision numbers. Arithmetic is done in float. The bit operations vectorise on every instruction
// set, which the compilers' own half types do not.
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

namespace detail {

PTFAST_HD float as_float(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

PTFAST_HD uint32_t as_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

}  // namespace detail

PTFAST_HD float widen(float value) { return value; }
PTFAST_HD double widen(double value) { return value; }
PTFAST_HD float widen(BFloat16 value) { return detail::as_float(static_cast<uint32_t>(value.bits) << 16); }

PTFAST_HD float widen(Half value) {
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(value.bits));
#else
  const uint32_t sign = (value.bits & 0x8000u) << 16, rest = (value.bits & 0x7fffu) << 13;
  // Multiplying by 2^112 moves the exponent's bias from 15 to 127 and normalises subnormal numbers.
  const uint32_t finite = detail::as_bits(detail::as_float(rest) * 0x1p112f);
  return detail::as_float(sign | (rest >= 0x0f800000u ? rest | 0x7f800000u : finite));
#endif
}

// Rounds to nearest, ties to even. NaN stays NaN, and numbers that are too large become infinite.
PTFAST_HD void narrow(float value, float* out) { *out = value; }
PTFAST_HD void narrow(double value, double* out) { *out = value; }

PTFAST_HD void narrow(float value, BFloat16* out) {
#ifdef __CUDA_ARCH__
  out->bits = __bfloat16_as_ushort(__float2bfloat16_rn(value));
#else
  const uint32_t bits = detail::as_bits(value);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  out->bits = static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded);
#endif
}

PTFAST_HD void narrow(float value, Half* out) {
#ifdef __CUDA_ARCH__
  out->bits = __half_as_ushort(__float2half_rn(value));
#else
  const uint32_t bits = detail::as_bits(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  // Normal halves: rounding the lowest 13 bits may carry into the exponent, up to infinity.
  const uint32_t normal = (magnitude - 0x38000000u + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
  // Below 2^-14, adding 1/2 leaves the subnormal half in the low bits of a float, rounded by the addition itself.
  const uint32_t subnormal = detail::as_bits(detail::as_float(magnitude) + 0.5f) - 0x3f000000u;
  const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal;
  const uint32_t large = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  out->bits = static_cast<uint16_t>(sign | (magnitude >= 0x477ff000u ? large : finite));
#endif
}

}  // namespace ptfast
