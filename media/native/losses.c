#include "losses.h"

#include <math.h>
#include <string.h>

static const double REORDERING_S = 0.01;
static const double FIRST_RTT_S = 0.1;
static const double SHORTEST_SPACING_S = 0.02;
static const double LONGEST_SPACING_S = 0.5;

void sl_losses_init(sl_losses *losses)
{
    losses->count = 0;
    losses->next_due = INFINITY;
    losses->rtt_s = FIRST_RTT_S;
}

static void forget_oldest(sl_losses *losses, size_t count)
{
    losses->count -= count;
    memmove(losses->missing, losses->missing + count, losses->count * sizeof *losses->missing);
}

void sl_losses_lacking(sl_losses *losses, int64_t start, int64_t end, double now)
{
    if (end - start > SL_MAX_MISSING) /* of a longer gap the latest are kept */
        start = end - SL_MAX_MISSING;
    size_t gap = (size_t)(end - start);
    if (losses->count + gap > SL_MAX_MISSING)
        forget_oldest(losses, losses->count + gap - SL_MAX_MISSING);
    double due = now + REORDERING_S;
    for (int64_t sequence = start; sequence < end; sequence++)
        losses->missing[losses->count++] = (sl_missing){.sequence = sequence, .due = due};
    losses->next_due = fmin(losses->next_due, due);
}

static sl_missing *find(sl_losses *losses, int64_t sequence)
{
    size_t low = 0, high = losses->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (losses->missing[middle].sequence < sequence)
            low = middle + 1;
        else
            high = middle;
    }
    bool is_there = low < losses->count && losses->missing[low].sequence == sequence;
    return is_there ? &losses->missing[low] : NULL;
}

bool sl_losses_recovered(sl_losses *losses, int64_t sequence, double now)
{
    sl_missing *missing = find(losses, sequence);
    if (missing == NULL)
        return false;
    if (missing->requests == 1) /* Karn: which of several requests it answers is unknown */
        losses->rtt_s += (now - missing->asked_at - losses->rtt_s) / 8;
    size_t after = (size_t)(losses->missing + losses->count - missing) - 1;
    memmove(missing, missing + 1, after * sizeof *missing);
    losses->count--;
    return true;
}

static double earliest(const sl_losses *losses)
{
    double due = INFINITY;
    for (size_t i = 0; i < losses->count; i++)
        due = fmin(due, losses->missing[i].due);
    return due;
}

size_t sl_losses_due(sl_losses *losses, double now, int64_t *due)
{
    if (now < losses->next_due)
        return 0;
    double spacing = fmin(fmax(1.25 * losses->rtt_s, SHORTEST_SPACING_S), LONGEST_SPACING_S);
    size_t asked = 0;
    for (size_t i = 0; i < losses->count && asked < SL_MAX_ASKED; i++) {
        sl_missing *missing = &losses->missing[i];
        if (missing->due > now)
            continue;
        due[asked++] = missing->sequence;
        missing->asked_at = now;
        missing->requests++;
        missing->due = missing->requests < SL_MAX_REQUESTS ? now + spacing : INFINITY;
    }
    losses->next_due = earliest(losses);
    return asked;
}
