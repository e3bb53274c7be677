/* How much of something is allowed: so much a second, and a second's worth at once. It starts full
 * (media/relay/budget.py). */
#ifndef SL_BUDGET_H
#define SL_BUDGET_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    double per_s, left, at;
} sl_budget;

static inline sl_budget sl_budget_full(double per_s, double now)
{
    return (sl_budget){.per_s = per_s, .left = per_s, .at = now};
}

static inline void sl_budget_refill(sl_budget *budget, double now)
{
    budget->left = fmin(budget->left + (now - budget->at) * budget->per_s, budget->per_s);
    budget->at = now;
}

/* How many of `wanted` are allowed at `now` (monotonic seconds); they are spent. */
static inline int64_t sl_budget_take(sl_budget *budget, int64_t wanted, double now)
{
    sl_budget_refill(budget, now);
    int64_t left = (int64_t)budget->left;
    int64_t granted = wanted < left ? wanted : left;
    budget->left -= (double)granted;
    return granted;
}

/* Whether all of `wanted` is allowed; if not, nothing is spent. */
static inline bool sl_budget_allows(sl_budget *budget, int64_t wanted, double now)
{
    sl_budget_refill(budget, now);
    if (budget->left < (double)wanted)
        return false;
    budget->left -= (double)wanted;
    return true;
}

#endif
