#define _GNU_SOURCE
#include "prompt.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LEAST_NICE = -20 };

/* Whoever wakes pushes aside a thread with longer slices, if it had less than its share: so the
 * loop's weight, three times the plane's, is what lets it begin again soon after a turn. */
static const struct {
    uint64_t slice_ns; /* of the scheduler; the default is some milliseconds */
    int steps;         /* of nice */
} wishes[] = {
    [SL_PROMPT_FOR_PACKETS] = {500 * 1000, 10},
    [SL_PROMPT_FOR_EVENTS] = {250 * 1000, 15},
};

/* The kernel's struct, of which the C library knows nothing. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static bool schedule(int nice, uint64_t slice_ns)
{
    struct scheduling wish = {.size = sizeof wish, .policy = SCHED_OTHER, .runtime = slice_ns};
    wish.flags = 1; /* SCHED_FLAG_RESET_ON_FORK */
    wish.nice = nice > LEAST_NICE ? nice : LEAST_NICE;
    return syscall(SYS_sched_setattr, 0, &wish, 0U) == 0;
}

int sl_be_prompt(sl_promptness promptness)
{
    int nice = getpriority(PRIO_PROCESS, 0); /* of this thread */
    uint64_t slice_ns = wishes[promptness].slice_ns;
    if (!schedule(nice - wishes[promptness].steps, slice_ns))
        (void)schedule(nice, slice_ns);
    if (promptness == SL_PROMPT_FOR_PACKETS)
        (void)prctl(PR_SET_TIMERSLACK, 1UL); /* ns: so that a short wait is short */
    return nice;
}

void sl_be_ordinary(int nice)
{
    (void)schedule(nice, 0);
}

void sl_give_way(void)
{
    /* The kernel looks whether a slice is over when it brings a thread's account up to date: at
     * ticks, which are 4 ms apart at 250 Hz, and when it is asked for the account. */
    struct timespec used;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
}
