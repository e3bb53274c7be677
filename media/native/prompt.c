#define _GNU_SOURCE
#include "prompt.h"

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    SLICE_NS = 500 * 1000, /* of the scheduler; the default is some milliseconds */
    PROMPTER_BY = 10,      /* steps of nice */
    LEAST_NICE = -20,
};

/* The kernel's struct, of which the C library knows nothing. */
struct scheduling {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

static bool schedule(int nice)
{
    struct scheduling wish = {.size = sizeof wish, .policy = SCHED_OTHER, .runtime = SLICE_NS};
    wish.nice = nice;
    return syscall(SYS_sched_setattr, 0, &wish, 0U) == 0;
}

void sl_be_prompt(void)
{
    int nice = getpriority(PRIO_PROCESS, 0); /* of this thread */
    if (!schedule(nice - PROMPTER_BY > LEAST_NICE ? nice - PROMPTER_BY : LEAST_NICE))
        (void)schedule(nice);
    (void)prctl(PR_SET_TIMERSLACK, 1UL); /* ns: so that a short wait is short */
}
