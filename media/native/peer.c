#include "peer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

sl_peer *sl_peer_new(uint64_t number, bool is_publisher, sl_srtp *srtp)
{
    sl_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return NULL;
    peer->references = 1;
    peer->number = number;
    peer->is_publisher = is_publisher;
    peer->srtp = sl_srtp_retain(srtp);
    sl_peer_hear(peer, -INFINITY);
    return peer;
}

sl_peer *sl_peer_retain(sl_peer *peer)
{
    __atomic_fetch_add(&peer->references, 1, __ATOMIC_RELAXED);
    return peer;
}

void sl_peer_release(sl_peer *peer)
{
    if (peer == NULL || __atomic_sub_fetch(&peer->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    sl_stream_release(peer->stream);
    sl_srtp_release(peer->srtp);
    free(peer);
}

double sl_peer_heard_at(const sl_peer *peer)
{
    uint64_t bits = __atomic_load_n(&peer->heard_at, __ATOMIC_RELAXED);
    double heard_at;
    memcpy(&heard_at, &bits, sizeof heard_at);
    return heard_at;
}

void sl_peer_hear(sl_peer *peer, double now)
{
    uint64_t bits;
    memcpy(&bits, &now, sizeof bits);
    __atomic_store_n(&peer->heard_at, bits, __ATOMIC_RELAXED);
}

void sl_peer_join(sl_peer *peer, sl_stream *stream)
{
    sl_stream *former = peer->stream;
    peer->stream = stream ? sl_stream_retain(stream) : NULL;
    sl_stream_release(former);
}

static size_t place_of(const sl_peer *peer, const sl_address_key *address)
{
    size_t at = 0;
    while (at < peer->address_count && !sl_address_key_equal(&peer->addresses[at], address))
        at++;
    return at;
}

static void forget(sl_peer *peer, size_t at)
{
    peer->address_count--;
    memmove(
        &peer->addresses[at], &peer->addresses[at + 1],
        (peer->address_count - at) * sizeof *peer->addresses
    );
}

void sl_peer_bind(sl_peer *peer, sl_addresses *table, const sl_address_key *address)
{
    if (place_of(peer, address) < peer->address_count) {
        sl_addresses_put(table, address, peer);
        return;
    }
    if (peer->address_count == SL_PEER_MAX_ADDRESSES) {
        sl_addresses_remove(table, &peer->addresses[0], peer);
        forget(peer, 0);
    }
    if (sl_addresses_put(table, address, peer))
        peer->addresses[peer->address_count++] = *address;
}

void sl_peer_unbind(sl_peer *peer, sl_addresses *table, const sl_address_key *address)
{
    size_t at = place_of(peer, address);
    if (at == peer->address_count)
        return;
    sl_addresses_remove(table, address, peer);
    forget(peer, at);
}

void sl_peer_unbind_all(sl_peer *peer, sl_addresses *table)
{
    for (size_t i = 0; i < peer->address_count; i++)
        sl_addresses_remove(table, &peer->addresses[i], peer);
    peer->address_count = 0;
}
