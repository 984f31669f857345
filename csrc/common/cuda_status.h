#pragma once

namespace ptfast {

// Meaning of a launcher's status, in the words of the CUDA runtime.
const char* cuda_error(int status);

// Version of the CUDA runtime in this build, 1000 * major + 10 * minor.
int cuda_runtime_version();

// The newest runtime that the machine's driver serves, in the same form, or 0 where there is no driver. A driver below
// cuda_runtime_version() makes every launcher return cudaErrorInsufficientDriver.
int cuda_driver_version();

}  // namespace ptfast
