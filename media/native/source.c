#include "source.h"

void sl_source_init(
    sl_source *source, const sl_rtp_header *header, uint32_t clock_rate, int64_t first,
    uint32_t timestamp_offset
)
{
    source->ssrc = header->ssrc;
    source->timestamp_offset = timestamp_offset;
    source->clock_rate = clock_rate;
    source->highest = (int64_t)header->sequence - 1;
    source->has_clock = false;
    sl_losses_init(&source->losses);
    sl_reception_init(&source->reception, header->sequence, clock_rate);
    source->first = first;
    sl_seqmap_init(&source->numbers, 0, source->omissions);
    sl_seqmap_skip_to(&source->numbers, header->sequence);
}

bool sl_source_fits(const sl_source *source, const sl_rtp_header *header)
{
    if (header->ssrc != source->ssrc)
        return false;
    int64_t ahead = sl_rtp_extend(header->sequence, source->highest) - source->highest;
    return -SL_MAX_MISORDER <= ahead && ahead < SL_MAX_DROPOUT;
}

static bool number_of(
    sl_source *source, int64_t sequence, double now, bool leave_out, int64_t *number
)
{
    if (sequence > source->highest) {
        if (sequence > source->highest + 1)
            sl_losses_lacking(&source->losses, source->highest + 1, sequence, now);
        source->highest = sequence;
    } else if (!sl_losses_recovered(&source->losses, sequence, now)) {
        return false;
    }
    if (leave_out && sequence == source->numbers.next) { /* none of the later ones has a number */
        sl_seqmap_skip_to(&source->numbers, sequence + 1);
        return false;
    }
    int64_t mapped = sl_seqmap_map(&source->numbers, sequence);
    *number = source->first + mapped;
    return mapped >= 0;
}

bool sl_source_receive(
    sl_source *source, const sl_rtp_header *header, double now, bool leave_out, int64_t *number
)
{
    int64_t sequence = sl_rtp_extend(header->sequence, source->highest);
    sl_reception_received(&source->reception, sequence, header->timestamp, now);
    return number_of(source, sequence, now, leave_out, number);
}

bool sl_source_recover(sl_source *source, uint16_t sequence, double now, int64_t *number)
{
    int64_t extended = sl_rtp_extend(sequence, source->highest);
    if (extended > source->highest + SL_MAX_DROPOUT)
        return false;
    return number_of(source, extended, now, false, number);
}

void sl_source_on_sender_report(sl_source *source, uint64_t ntp, uint32_t rtp_timestamp, double now)
{
    sl_reception_on_sender_report(&source->reception, ntp, now);
    source->has_clock = true;
    source->clock = (sl_sender_clock){
        .ntp = ntp,
        .timestamp = rtp_timestamp + source->timestamp_offset,
        .received_at = now,
        .clock_rate = source->clock_rate,
    };
}
