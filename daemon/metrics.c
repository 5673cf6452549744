/* SPDX-License-Identifier: Apache-2.0 */
/* Counters: one relaxed atomic each, since nobody draws a conclusion from the
 * order in which two of them move. */
#include "metrics.h"

#include <stdatomic.h>

static _Atomic uint64_t counters[METRIC_COUNT];

void
metrics_add(enum metric metric, uint64_t n)
{
    atomic_fetch_add_explicit(&counters[metric], n, memory_order_relaxed);
}

uint64_t
metrics_get(enum metric metric)
{
    return atomic_load_explicit(&counters[metric], memory_order_relaxed);
}
