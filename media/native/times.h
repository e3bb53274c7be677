/* How long things took: a histogram with sixteen steps to the doubling, from a microsecond up, and
 * the sum of it all.
 *
 * One thread adds, any thread reads. */
#ifndef SL_TIMES_H
#define SL_TIMES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "counts.h"

enum {
    SL_TIMES_STEPS = 16,                     /* to the doubling: 4 % wide */
    SL_TIMES_BUCKETS = 24 * SL_TIMES_STEPS, /* up to 16 s, and what is longer */
};

typedef struct {
    uint64_t counts[SL_TIMES_BUCKETS];
    uint64_t total_ns;
} sl_times;

/* The upper bound of a bucket in seconds. */
static inline double sl_times_bound_s(size_t bucket)
{
    return exp2((double)(bucket + 1) / SL_TIMES_STEPS) * 1e-6;
}

static inline void sl_times_add(sl_times *times, double seconds)
{
    double step = seconds > 1e-6 ? log2(seconds * 1e6) * SL_TIMES_STEPS : 0;
    size_t bucket = step < SL_TIMES_BUCKETS - 1 ? (size_t)step : SL_TIMES_BUCKETS - 1;
    sl_count(&times->counts[bucket]);
    /* Less than nothing, where the clock was set back. */
    sl_count_more(&times->total_ns, seconds > 0 ? (uint64_t)(seconds * 1e9) : 0);
}

static inline uint64_t sl_times_count(const sl_times *times, size_t bucket)
{
    return sl_counted(&times->counts[bucket]);
}

static inline double sl_times_total_s(const sl_times *times)
{
    return (double)sl_counted(&times->total_ns) * 1e-9;
}

#endif
