/* SPDX-License-Identifier: Apache-2.0 */
/* See pace.h. */
#include "pace.h"

unsigned pace_divisor = 1;
