#pragma once
#include <cstddef>
#include <cstdint>

#include "emulator/runtime.h"

namespace cuda_emulator {

// CUDA kernels on the CPU. Each thread of a block is a fiber, with a stack of its own; they take turns on the calling
// thread and change only at barriers and warp intrinsics. Blocks run one after the other. Shared memory is filled with
// 0xff, which makes NaN of reals, before each block.

constexpr int kMaxThreads = 1024;  // of a block
// Dynamic shared memory that a kernel may use as it is, and when it asks: what sm_75, our smallest, grants.
constexpr size_t kShared = 48 << 10, kSharedOptIn = 64 << 10;

struct Launch {
  dim3 grid, block;
  size_t shared;  // bytes of dynamic shared memory
  const void* kernel;
};

// Runs thread(context) once for each CUDA thread. A size that no device allows gives the status that CUDA has for it.
// Throws std::runtime_error where threads wait for others that never come, or wrote past the dynamic shared memory; the
// message says which.
cudaError_t run(const Launch& launch, void (*thread)(const void* context), const void* context);

// Grants a kernel so many bytes of dynamic shared memory.
void allow_shared(const void* kernel, size_t bytes);

// The block's dynamic shared memory, 16-byte aligned.
unsigned char* dynamic_shared();

// In which order blocks, the warps of a block and the lanes of a warp take their turns. Results that depend on it tell
// of a race. kShuffled draws it anew whenever a thread waits; with the others a warp runs as far ahead as it can.
enum class Order { kForward, kReverse, kShuffled };
void set_order(Order order, uint64_t seed);

}  // namespace cuda_emulator
