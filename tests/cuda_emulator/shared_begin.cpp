// Statically shared memory is thread-local, and the linker lays it out in the order of the objects on its command line:
// this one, the kernels', then shared_end.cpp. So everything between the two is shared memory, and only that.
__thread char shared_begin[16];
