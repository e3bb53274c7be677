/* Which packets of a peer came before (RFC 3711 §3.3.2), and what their rollover counters are.
 *
 * The rules are libsrtp's (srtp_rdbx), so that both planes take the same packets.
 */
#ifndef SL_REPLAY_H
#define SL_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "srtp.h"

typedef struct {
    uint64_t highest;                     /* index */
    uint64_t seen[SL_SRTP_WINDOW / 64];   /* by index modulo the window */
    uint32_t ssrc;
} sl_replay;

/* The SSRCs that authentic packets had, SL_SRTP_MAX_SSRCS at most. */
typedef struct {
    sl_replay *entries;
    size_t count, capacity;
} sl_replays;

void sl_replays_clear(sl_replays *replays);

/* NULL where the SSRC is new. */
sl_replay *sl_replays_find(const sl_replays *replays, uint32_t ssrc);
bool sl_replays_full(const sl_replays *replays);

/* A new SSRC, after its first packet proved authentic. NULL: no room or no memory. */
sl_replay *sl_replays_add(sl_replays *replays, uint32_t ssrc);

/* The 48-bit index of a packet with this sequence number; `replay` NULL where its SSRC is new. */
uint64_t sl_replay_index(const sl_replay *replay, uint16_t sequence);

/* Whether a packet of this index is new; `replay` may be NULL. */
bool sl_replay_is_new(const sl_replay *replay, uint64_t index);
void sl_replay_note(sl_replay *replay, uint64_t index);

#endif
