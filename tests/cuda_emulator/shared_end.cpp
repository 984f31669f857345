__thread char shared_end[16];  // see shared_begin.cpp
