#pragma once
#include <cstdint>

// PTFAST_CLONES before a named free function compiles it for AVX-512, AVX2 and plain x86-64. The loader picks one. Its
// loops must be in the function itself or in PTFAST_INLINE functions: a lambda or a call that is not inlined keeps the
// plain code.
#if PTFAST_HAS_TARGET_CLONES
#define PTFAST_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PTFAST_CLONES
#endif
#define PTFAST_INLINE inline __attribute__((always_inline))

// Before a loop over the lanes of a block: GCC would otherwise unroll it whole and then find only part of the vectors.
#ifdef __clang__
#define PTFAST_LANES
#else
#define PTFAST_LANES _Pragma("GCC unroll 1")
#endif

namespace ptfast {

// Columns in a block of lanes: one AVX-512 register of floats. Other instruction sets take several registers.
constexpr int64_t kBlock = 16;

// The best instruction set of PTFAST_CLONES functions that this processor runs.
inline const char* instruction_set() {
#if PTFAST_HAS_TARGET_CLONES
  if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4 (AVX-512)";
  if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3 (AVX2)";
#endif
  return "baseline";
}

}  // namespace ptfast
