/* Which packets of a source are missing, and when to ask for them: media/relay/losses.py. */
#ifndef SL_LOSSES_H
#define SL_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SL_MAX_MISSING = 512,
    SL_MAX_ASKED = 128, /* so that the NACK fits a datagram beside a report */
    SL_MAX_REQUESTS = 8,
};

typedef struct {
    int64_t sequence;
    double due;
    double asked_at;
    int requests;
} sl_missing;

/* In order of sequence, because a gap always lies after all that was seen before. */
typedef struct {
    sl_missing missing[SL_MAX_MISSING];
    size_t count;
    double next_due; /* infinite when nothing is to be asked for */
    double rtt_s;
} sl_losses;

void sl_losses_init(sl_losses *losses);

/* Note that [start, end), all later than any gap before, showed to be lacking at `now`. */
void sl_losses_lacking(sl_losses *losses, int64_t start, int64_t end, double now);

/* A packet came late: whether it was missing, and not a repetition. */
bool sl_losses_recovered(sl_losses *losses, int64_t sequence, double now);

/* What to ask for now, in order, into `due` of SL_MAX_ASKED; how many. */
size_t sl_losses_due(sl_losses *losses, double now, int64_t *due);

#endif
