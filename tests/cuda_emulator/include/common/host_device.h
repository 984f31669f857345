#pragma once
// Takes the place of csrc/common/host_device.h: nothing has to be fast here, so nothing is forced inline, which the
// compiler could not always do without optimisation.
#define PTFAST_HD inline
