/* What the thread does with the datagrams of one read: each to the protocol it speaks and the peer
 * it belongs to (media/python_plane.py is the specification). A publisher's packets stay together. */
#include <time.h>

#include "plane_state.h"

enum {
    MAX_DATAGRAM_SIZE = SL_MAX_RTP_SIZE,
    /* Of the control queue, kept for peers: a flood by strangers doesn't shut them out. */
    CONTROL_BYTES_FOR_PEERS = 256 * 1024,
};

static double realtime_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void drop(sl_plane *plane, sl_drop reason)
{
    sl_count(&plane->counts.dropped[reason]);
}

/* Relays what `peer`, a publisher, has in `plane->batch`. */
static void relay(sl_plane *plane, const sl_peer *peer, size_t count, double now)
{
    sl_stream *stream = peer->stream;
    bool is_publisher;
    size_t relayed = sl_stream_receive(
        stream, peer->number, plane->batch, count, now, plane->relayed, &is_publisher
    );
    if (relayed)
        sl_fanout_send(stream->fanout, plane->datagrams, plane->relayed, relayed, now);
    for (size_t i = 0; i < count && !is_publisher; i++)
        drop(plane, SL_DROP_RTP_OF_NO_PUBLISHER);
}

/* Relays what waits, publisher by publisher. */
static void flush(sl_plane *plane, double now)
{
    for (size_t first = 0; first < plane->pending_count; first++) {
        sl_peer *peer = plane->pending[first].peer;
        size_t count = 0;
        for (size_t i = first; peer != NULL && i < plane->pending_count; i++)
            if (plane->pending[i].peer == peer) {
                plane->batch[count++] = plane->pending[i].plain;
                plane->pending[i].peer = NULL;
            }
        if (count)
            relay(plane, peer, count, now);
    }
    if (plane->pending_count == 0)
        return;
    plane->relay_s = sl_monotonic_s() - now;
    double sent_at = realtime_s();
    for (size_t i = 0; i < plane->pending_count; i++)
        if (plane->pending[i].arrived_at > 0)
            sl_times_add(&plane->times, sent_at - plane->pending[i].arrived_at);
    plane->pending_count = 0;
}

static void on_rtp(sl_plane *plane, sl_peer *peer, sl_plain plain, double arrived_at, double now)
{
    if (peer == NULL || !peer->is_publisher || peer->stream == NULL) {
        drop(plane, SL_DROP_RTP_OF_NO_PUBLISHER);
        return;
    }
    int size = sl_srtp_unprotect_rtp(peer->srtp, plain.bytes, plain.size);
    if (size < 0) {
        drop(plane, SL_DROP_RTP_REFUSED);
        return;
    }
    sl_peer_hear(peer, now);
    plain.size = (size_t)size;
    plane->pending[plane->pending_count++] = (sl_pending){peer, plain, arrived_at};
    if (plane->pending_count == SL_INGEST_MAX_BATCH)
        flush(plane, now);
}

static void answer_nacks(sl_plane *plane, sl_peer *peer, double now)
{
    for (size_t i = 0; i < plane->rtcp.nack_count; i++) {
        const sl_nack *nack = &plane->rtcp.nacks[i];
        int64_t granted = sl_budget_take(&peer->resends, (int64_t)nack->count, now);
        if (granted < (int64_t)nack->count)
            drop(plane, SL_DROP_NACK_OVER_BUDGET);
        if (granted > 0)
            sl_fanout_resend(
                peer->stream->fanout, plane->datagrams, peer->number, nack->media_ssrc,
                plane->rtcp.sequences + nack->first, (size_t)granted, now
            );
    }
}

static void on_rtcp(sl_plane *plane, sl_peer *peer, sl_plain plain, double now)
{
    if (peer == NULL) {
        drop(plane, SL_DROP_RTCP_OF_NO_SESSION);
        return;
    }
    int size = sl_srtp_unprotect_rtcp(peer->srtp, plain.bytes, plain.size);
    if (size < 0) {
        drop(plane, SL_DROP_RTCP_REFUSED);
        return;
    }
    sl_peer_hear(peer, now);
    if (!sl_rtcp_walk(plain.bytes, (size_t)size, &plane->rtcp)) {
        drop(plane, SL_DROP_RTCP_MALFORMED);
        if (peer->stream)
            sl_stream_refuse_rtcp(peer->stream);
        return;
    }
    if (!peer->is_publisher && peer->stream && peer->stream->fanout)
        answer_nacks(plane, peer, now);
    sl_record record = {.kind = SL_FEEDBACK_RTCP, .size = (uint32_t)size, .number = peer->number};
    bool is_heard = peer->is_publisher || plane->rtcp.says_more;
    if (is_heard && !sl_plane_tell(plane, &plane->feedback, &record, plain.bytes, 0))
        drop(plane, SL_DROP_RTCP_OVERFLOW);
}

static sl_address address_of(const struct sockaddr *from)
{
    sl_address address = {0};
    if (from->sa_family == AF_INET) {
        address.name.v4 = *(const struct sockaddr_in *)(const void *)from;
        address.size = sizeof address.name.v4;
    } else {
        address.name.v6 = *(const struct sockaddr_in6 *)(const void *)from;
        address.size = sizeof address.name.v6;
    }
    return address;
}

static void on_control(
    sl_plane *plane, sl_datagram_kind kind, const sl_peer *peer, sl_plain plain,
    const struct sockaddr *from
)
{
    sl_record record = {
        .kind = kind, .size = (uint32_t)plain.size, .address = address_of(from)
    };
    size_t spared = peer ? 0 : CONTROL_BYTES_FOR_PEERS;
    if (!sl_plane_tell(plane, &plane->control, &record, plain.bytes, spared))
        drop(plane, SL_DROP_CONTROL_OVERFLOW);
}

static void on_datagram(
    sl_plane *plane, sl_peer *peer, sl_plain plain, const sl_message *message, double now
)
{
    sl_datagram_kind kind = sl_classify(plain.bytes, plain.size);
    sl_count(&plane->counts.datagrams[kind]);
    if (plain.size > MAX_DATAGRAM_SIZE || message->is_cut_off) {
        drop(plane, SL_DROP_TOO_LONG);
        return;
    }
    switch (kind) {
    case SL_RTP:
        on_rtp(plane, peer, plain, message->arrived_at, now);
        break;
    case SL_RTCP:
        on_rtcp(plane, peer, plain, now);
        break;
    case SL_STUN:
    case SL_DTLS:
        on_control(plane, kind, peer, plain, message->from);
        break;
    default:
        drop(plane, SL_DROP_UNKNOWN_PROTOCOL);
    }
}

/* Who of those that share an address has sent this, by its SSRC; NULL: none of them. */
static sl_peer *sharer(const sl_plane *plane, sl_address_key key, sl_plain plain)
{
    if (!sl_ssrc_of(plain.bytes, plain.size, &key.ssrc))
        return NULL;
    return sl_addresses_get(&plane->addresses, &key);
}

static void on_message(sl_plane *plane, const sl_message *message, double now)
{
    sl_address_key key = sl_address_key_of(message->from);
    sl_peer *peer = sl_addresses_get(&plane->addresses, &key);
    size_t at = 0;
    do { /* an empty datagram is one, too */
        size_t left = message->size - at;
        size_t size = left < message->segment ? left : message->segment;
        sl_plain plain = {message->bytes + at, size};
        on_datagram(plane, peer ? peer : sharer(plane, key, plain), plain, message, now);
        at += size;
    } while (at < message->size);
}

void sl_plane_read(sl_plane *plane, double now)
{
    size_t count = sl_intake_read(plane->intake);
    for (size_t i = 0; i < count; i++) {
        sl_message message = sl_intake_message(plane->intake, i);
        on_message(plane, &message, now);
    }
    flush(plane, now);
}

void sl_plane_receive(
    sl_plane *plane, uint8_t *bytes, size_t size, const sl_address *from, double now
)
{
    sl_message message = {.bytes = bytes, .size = size, .segment = size, .from = &from->name.any};
    on_message(plane, &message, now);
    flush(plane, now);
}
