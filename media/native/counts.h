/* Totals that one thread writes and any thread reads. */
#ifndef SL_COUNTS_H
#define SL_COUNTS_H

#include <stdint.h>

#include "demux.h"

/* Why a received datagram was ignored or refused; sl_drop_names has them for people. */
typedef enum {
    SL_DROP_TOO_LONG,
    SL_DROP_UNKNOWN_PROTOCOL,
    SL_DROP_RTP_OF_NO_PUBLISHER,
    SL_DROP_RTP_REFUSED,
    SL_DROP_RTCP_OF_NO_SESSION,
    SL_DROP_RTCP_REFUSED,
    SL_DROP_RTCP_MALFORMED,
    SL_DROP_RTCP_OVERFLOW,
    SL_DROP_CONTROL_OVERFLOW,
    SL_DROP_NACK_OVER_BUDGET,
    SL_DROPS,
} sl_drop;

extern const char *const sl_drop_names[SL_DROPS];
extern const char *const sl_datagram_names[SL_DATAGRAM_KINDS];

typedef struct {
    uint64_t datagrams[SL_DATAGRAM_KINDS];
    uint64_t dropped[SL_DROPS];
} sl_counts;

static inline uint64_t sl_counted(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static inline void sl_count_more(uint64_t *counter, uint64_t more)
{
    __atomic_store_n(counter, sl_counted(counter) + more, __ATOMIC_RELAXED);
}

static inline void sl_count(uint64_t *counter)
{
    sl_count_more(counter, 1);
}

#endif
