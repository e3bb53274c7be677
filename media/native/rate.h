/* Bits a second over the last two seconds: RateMeter of media/relay/stats.py. */
#ifndef SL_RATE_H
#define SL_RATE_H

#include <stddef.h>
#include <stdint.h>

enum { SL_RATE_STEPS = 20 }; /* steps of a tenth of a second in the window */

typedef struct {
    int64_t step;
    int64_t size;
} sl_rate_step;

typedef struct {
    double since;
    int64_t step, size; /* the step that is being counted */
    sl_rate_step past[SL_RATE_STEPS + 2];
    size_t oldest, count;
    int64_t past_size;
} sl_rate;

void sl_rate_init(sl_rate *rate, double now);

/* Count `size` bytes that came at `now` (monotonic seconds). */
void sl_rate_add(sl_rate *rate, size_t size, double now);

/* The rate up to `now`; over less than the window while the meter is young. */
int64_t sl_rate_bitrate_bps(sl_rate *rate, double now);

#endif
