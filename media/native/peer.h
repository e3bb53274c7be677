/* Whoever has agreed on keys with us: a publisher or a viewer.
 *
 * The event loop and the plane's thread each hold references. What is marked as the thread's is
 * touched by no other. */
#ifndef SL_PEER_H
#define SL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "addresses.h"
#include "budget.h"
#include "datagrams.h"
#include "srtp.h"
#include "stream.h"

enum { SL_PEER_MAX_ADDRESSES = 16 }; /* one more takes the place of the oldest */

typedef struct sl_peer {
    uint32_t references;
    uint64_t number;
    bool is_publisher;
    sl_srtp *srtp;
    uint64_t heard_at; /* the bits of a double, atomic */

    sl_address selected; /* the event loop's: where it sends RTCP to */
    bool was_served;     /* the event loop's: a viewer once, and with these keys never again */

    bool is_added;       /* the thread's: it is among its peers */
    sl_stream *stream;   /* the thread's: what it publishes or watches, or NULL */
    sl_budget resends;   /* the thread's */
    sl_address_key addresses[SL_PEER_MAX_ADDRESSES]; /* the thread's, the oldest first */
    size_t address_count;
    struct sl_peer *next, *previous; /* the thread's: all peers */
} sl_peer;

/* With one reference; retains `srtp`. NULL: no memory. */
sl_peer *sl_peer_new(uint64_t number, bool is_publisher, sl_srtp *srtp);
sl_peer *sl_peer_retain(sl_peer *peer);
void sl_peer_release(sl_peer *peer);

/* When authentic RTP or RTCP last came from it; minus infinity if never. */
double sl_peer_heard_at(const sl_peer *peer);
void sl_peer_hear(sl_peer *peer, double now);

/* The thread's: it belongs to `stream` from now on, which may be NULL. */
void sl_peer_join(sl_peer *peer, sl_stream *stream);

/* The thread's: an address more, or one less. */
void sl_peer_bind(sl_peer *peer, sl_addresses *table, const sl_address_key *address);
void sl_peer_unbind(sl_peer *peer, sl_addresses *table, const sl_address_key *address);
void sl_peer_unbind_all(sl_peer *peer, sl_addresses *table);

#endif
