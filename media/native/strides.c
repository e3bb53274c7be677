#include "strides.h"

#include "packet_writer.h"

static void append(sl_strides *strides, const sl_packet *packet)
{
    size_t runs = strides->run_count;
    strides->packets[strides->packet_count] = packet;
    if (runs == 0 || strides->runs[runs - 1].kind != packet->kind)
        strides->runs[strides->run_count++] =
            (sl_run){strides->packets + strides->packet_count, 0, packet->kind};
    strides->runs[strides->run_count - 1].count++;
    strides->packet_count++;
}

size_t sl_strides_take(sl_strides *strides, sl_cache caches[SL_KINDS], const sl_packet *batch,
                       size_t left, double now)
{
    size_t at = 0;
    strides->packet_count = strides->run_count = strides->bytes = 0;
    for (; at < left && at < SL_STRIDES_MAX; at++) {
        const sl_packet *packet = &batch[at];
        size_t room = sl_packet_room(packet);
        if (strides->bytes + room > SL_DATAGRAMS_MAX_BYTES)
            break;
        /* What a viewer was sent under a number is what it must get again: each comes once. */
        if (!sl_cache_add(&caches[packet->kind], packet, now))
            continue;
        strides->bytes += room;
        append(strides, packet);
    }
    return at;
}

bool sl_strides_have_video(const sl_strides *strides)
{
    for (size_t at = 0; at < strides->run_count; at++)
        if (strides->runs[at].kind == SL_VIDEO)
            return true;
    return false;
}
