#pragma once
#include <cstdint>

namespace ptfast {

// Small kernels that test the emulator itself; each launcher returns a cudaError_t.

// Adds the sum of in to out by blocks. in: [n], out: [1]
int probe_sum(const float* in, int64_t n, float* out);

// out[i] = in[(i + 1) % threads], with or without the barrier that it takes. in, out: [threads]
int probe_neighbour(const float* in, int threads, bool barrier, float* out);

// Contents of static and dynamic shared memory that a block has not written. out: [blocks, 2]
int probe_unwritten(bool integer, int blocks, float* out);

// Writes a float for each thread into `shared` bytes of dynamic shared memory.
int probe_overrun(int threads, int64_t shared);

// Asks for `shared` bytes of dynamic shared memory, and uses them.
int probe_shared_limit(int64_t shared);

// Shuffles and votes, a row each. in: [threads], out: [12, threads]
template <typename T>
int probe_warp(const T* in, int threads, T* out);

// Mistakes that no kernel may make: half of a warp returns before an intrinsic (0), is at another intrinsic (1) or at a
// barrier (2) instead, waits at a barrier that others have not (3, with a warp that is not whole), or is not named
// itself (4).
int probe_broken(int kind, int threads, int* out);

// __syncthreads_or, _and and _count. in: [threads], out: [threads, 3]
int probe_barriers(const int* in, int threads, int* out);

// Adds 100 * block + thread, in a grid of 3 x 2 x 2 blocks of 4 x 3 x 2 threads. out: [12, 24]
int probe_places(int* out);

}  // namespace ptfast
