#include "rate.h"

#include <math.h>

static const double WINDOW_S = 2.0;
static const double STEP_S = 0.1;

enum { SLOTS = SL_RATE_STEPS + 2 }; /* the window's, one that leaves it, one that joins */

void sl_rate_init(sl_rate *rate, double now)
{
    *rate = (sl_rate){.since = now, .step = (int64_t)(now / STEP_S)};
}

static void forget_before(sl_rate *rate, int64_t step)
{
    while (rate->count && rate->past[rate->oldest].step < step) {
        rate->past_size -= rate->past[rate->oldest].size;
        rate->oldest = (rate->oldest + 1) % SLOTS;
        rate->count--;
    }
}

static void advance(sl_rate *rate, double now)
{
    int64_t step = (int64_t)(now / STEP_S);
    if (step <= rate->step)
        return;
    rate->past[(rate->oldest + rate->count++) % SLOTS] = (sl_rate_step){rate->step, rate->size};
    rate->past_size += rate->size;
    rate->step = step;
    rate->size = 0;
    forget_before(rate, step - SL_RATE_STEPS);
}

void sl_rate_add(sl_rate *rate, size_t size, double now)
{
    advance(rate, now);
    rate->size += (int64_t)size;
}

int64_t sl_rate_bitrate_bps(sl_rate *rate, double now)
{
    advance(rate, now);
    double span_s = fmin(fmax(now - rate->since, STEP_S), WINDOW_S);
    return (int64_t)rint((double)((rate->past_size + rate->size) * 8) / span_s);
}
