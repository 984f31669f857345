#pragma once
// Marks a formula that the CPU and the CUDA implementation share.
#ifdef __CUDACC__
#define PTFAST_HD __host__ __device__ __forceinline__
#else
#define PTFAST_HD inline __attribute__((always_inline))
#endif
