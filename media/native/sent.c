#include "sent.h"

#include <stdlib.h>

sl_sent *sl_sent_new(void)
{
    sl_sent *sent = calloc(1, sizeof *sent);
    if (sent != NULL)
        sent->references = 1;
    return sent;
}

sl_sent *sl_sent_retain(sl_sent *sent)
{
    __atomic_fetch_add(&sent->references, 1, __ATOMIC_RELAXED);
    return sent;
}

void sl_sent_release(sl_sent *sent)
{
    if (sent != NULL && __atomic_fetch_sub(&sent->references, 1, __ATOMIC_ACQ_REL) == 1)
        free(sent);
}

sl_sent_track sl_sent_read(const sl_sent *sent, uint8_t kind)
{
    const sl_sent_track *track = &sent->tracks[kind];
    return (sl_sent_track){
        __atomic_load_n(&track->packets, __ATOMIC_RELAXED),
        __atomic_load_n(&track->octets, __ATOMIC_RELAXED),
    };
}

void sl_sent_count(sl_sent *sent, uint8_t kind, uint64_t packets, uint64_t octets)
{
    sl_sent_track *track = &sent->tracks[kind];
    __atomic_store_n(&track->packets, track->packets + packets, __ATOMIC_RELAXED);
    __atomic_store_n(&track->octets, track->octets + octets, __ATOMIC_RELAXED);
}
